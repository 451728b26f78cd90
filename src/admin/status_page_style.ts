/** The style of the status page and the pages beside it. Colour only repeats what a word says. */
export const STYLE = `
:root{--bg:#f6f7f8;--card:#fff;--text:#1b1d20;--soft:#565b62;--line:#e1e4e8;--good:#15713f;--warn:#7d5000;--bad:#b0201a;--badbg:#fdf1f0;--badline:#eeb9b5;--accent:#1f56a8;--fill:#dfe9f7;--dot:#3aa76d;--dotwarn:#d99a00;--dotbad:#d5372f;--queue:#c58a00;--connect:#7a5cc4;--wait:#3b78d0;--body:#2f9e69}
@media(prefers-color-scheme:dark){:root{--bg:#111418;--card:#181c21;--text:#e4e7ea;--soft:#9ba3ad;--line:#2a3037;--good:#62cf98;--warn:#e2b44a;--bad:#ff938a;--badbg:#2b191a;--badline:#6d3532;--accent:#8db7fb;--fill:#1f2d42;--dot:#3fae74;--dotwarn:#d8a32a;--dotbad:#ef6a60;--queue:#d8a32a;--connect:#a48be0;--wait:#6fa3ee;--body:#4fc08a}}
*{box-sizing:border-box}
[hidden]{display:none!important}
body{margin:0 auto;max-width:1640px;padding:0 1.5rem 4rem;background:var(--bg);color:var(--text);font:13.5px/1.45 system-ui,-apple-system,"Segoe UI",sans-serif;font-variant-numeric:tabular-nums;overflow-wrap:anywhere}
h1{font-size:1rem;font-weight:500;margin:0;color:var(--soft)}h1 b{color:var(--text);font-weight:650;font-size:1.15rem;margin-left:.35rem}h1 a{color:inherit}
h2{font-size:.95rem;font-weight:650;margin:1.75rem 0 .5rem}h2 small{font-weight:400;font-size:.85rem;color:var(--soft);margin-left:.35rem}
h3{font-size:.75rem;font-weight:400;color:var(--soft);margin:0}
p{margin:0}i{font-style:normal;color:var(--soft);white-space:nowrap}
header{position:sticky;top:0;z-index:2;display:flex;flex-wrap:wrap;gap:.25rem 1rem;align-items:baseline;margin:0 -1.5rem;padding:.7rem 1.5rem .6rem;background:var(--bg);border-bottom:1px solid var(--line)}
.who{color:var(--soft);font-size:.85rem}
.search{margin-left:auto;display:flex;gap:.6rem;align-items:center;flex-direction:row-reverse}
.search input{width:19rem;max-width:100%;font:inherit;padding:.3rem .65rem;color:var(--text);background:var(--card);border:1px solid var(--line);border-radius:7px}
.search input::placeholder{color:var(--soft);opacity:1}.search output{color:var(--soft);font-size:.85rem}
section,tr,details{scroll-margin-top:4rem}section:empty{display:none}
dl.about{display:flex;flex-wrap:wrap;gap:.2rem 1.5rem;margin:.75rem 0 0}dl.about div{display:flex;gap:.4rem}dt{color:var(--soft)}dd{margin:0}
dl.record{display:grid;grid-template-columns:max-content 1fr;gap:.25rem 1.25rem;margin:1rem 0 0}
a{color:var(--accent);text-decoration-color:color-mix(in srgb,currentColor 35%,transparent);text-underline-offset:2px}a:hover{text-decoration-color:currentColor}
:focus-visible{outline:2px solid var(--accent);outline-offset:1px;border-radius:4px}
code{font-family:ui-monospace,SFMono-Regular,Menlo,monospace;font-size:.92em}
.good{color:var(--good)}.bad,.bad i{color:var(--bad)}.bad{font-weight:600}
#news:not(:empty){margin-top:.75rem;padding:.4rem .9rem;border:1px solid var(--line);border-radius:8px;background:var(--card)}
.problems,.calm{margin-top:.9rem;padding:.65rem 1rem;border-radius:10px;border:1px solid var(--line);background:var(--card)}
.problems{background:var(--badbg);border-color:var(--badline)}.problems h2,.calm h2{margin:0 0 .2rem}
.problems h2{color:var(--bad)}.calm h2{color:var(--good);display:inline}.calm>p{display:inline;margin-left:.6rem;color:var(--soft)}.calm>h2+p+p{display:block;margin:0}
.problems ul{margin:0;padding:0;list-style:none}.problems li{padding:.1rem 0 .1rem 1.1rem;position:relative}
.problems li::before{content:"";position:absolute;left:.1rem;top:.62em;width:.5rem;height:.5rem;border-radius:50%;background:var(--dotwarn)}
.problems li.error::before{background:var(--dotbad);border-radius:1px}.problems li.note::before{background:var(--soft)}
.problems code{color:var(--soft);overflow-wrap:anywhere}.problems li a{color:inherit;text-decoration-color:transparent}.problems li a:hover{text-decoration-color:currentColor}
.tiles{display:grid;grid-template-columns:repeat(auto-fit,minmax(165px,1fr));gap:1px;margin-top:.9rem;background:var(--line);border:1px solid var(--line);border-radius:10px;overflow:hidden}
.tile{background:var(--card);padding:.55rem .8rem .45rem}
.tile p{font-size:1.2rem;font-weight:600;line-height:1.7rem;white-space:nowrap}
#t-ms{font-size:1rem}
.tile svg{display:block;width:100%;height:24px}.tile path{fill:none;stroke:var(--accent);stroke-width:1.25;vector-effect:non-scaling-stroke}
.list{background:var(--card);border:1px solid var(--line);border-radius:10px;overflow:hidden}
.list>details+details{border-top:1px solid var(--line)}
summary{cursor:pointer;padding:.32rem .9rem;list-style:none}
summary::-webkit-details-marker{display:none}
summary::before{content:"";display:inline-block;width:.38rem;height:.38rem;border:solid var(--soft);border-width:0 1.5px 1.5px 0;transform:rotate(-45deg);align-self:center;flex:none;margin-right:.5rem}
details[open]>summary::before{transform:rotate(45deg)}
summary:hover{background:color-mix(in srgb,var(--fill) 45%,transparent)}summary:focus-visible{outline-offset:-2px}
.cluster>summary{display:grid;grid-template-columns:.9rem minmax(9rem,1.6fr) minmax(5.5rem,1fr) repeat(5,minmax(6rem,.7fr)) 6.5rem;gap:0 .75rem;align-items:baseline}
.cluster>summary>span:nth-of-type(n+2),.num{text-align:right}
.cluster>summary::before{margin:0}
.dots{display:inline-flex;flex-wrap:wrap;gap:3px;align-items:center}
.dots i{width:.58rem;height:.58rem;border-radius:50%;background:var(--dot)}
.dots .dot0,.dots .dot1{background:var(--dotbad);border-radius:1px}.dots .dot2{background:var(--dotwarn)}
.cluster.severity0>summary>b,.cluster.severity1>summary>b{color:var(--bad)}.cluster.severity2>summary>b{color:var(--warn)}
.cluster.severity0,.cluster.severity1{box-shadow:inset 3px 0 var(--dotbad)}.cluster.severity2{box-shadow:inset 3px 0 var(--dotwarn)}
.failure.client>summary>b{font-weight:500;color:var(--soft)}
#failures-more{background:var(--card);border:1px solid var(--line);border-radius:10px;overflow:hidden;margin-top:.5rem}
.failure>summary{display:flex;flex-wrap:wrap;gap:0 1.1rem;align-items:baseline}.failure>summary::before{margin-right:-.5rem}
.failure>summary>b{min-width:11rem}.failure>summary>span:nth-of-type(1){min-width:3rem;font-weight:600}.failure>summary>span:nth-of-type(2){min-width:8rem}.failure>summary>span{color:var(--soft)}.failure>summary>span:nth-of-type(1){color:var(--text)}
.facts{color:var(--soft);padding:.1rem .9rem .45rem 2.25rem;font-size:.92em}
#routes-well,.fold{background:var(--card);border:1px solid var(--line);border-radius:10px;overflow:hidden}#routes-well table,.fold table{border:0}
table{width:100%;border-collapse:separate;border-spacing:0;background:var(--card);border:1px solid var(--line);border-radius:10px;margin:0 0 .6rem}
details table{border:0;border-radius:0;margin:0;border-top:1px solid var(--line)}
th,td{padding:.26rem .6rem;text-align:left;vertical-align:baseline;border-top:1px solid var(--line)}
th:first-child{padding-left:.9rem}details th:first-child{padding-left:2.25rem}
thead th{border-top:0;color:var(--soft);font-weight:400;font-size:.85em;white-space:nowrap}
tbody th{font-weight:500}
thead th.num,.num{white-space:nowrap}
tr.severity0,tr.severity1{background:var(--badbg)}
.act{text-align:right;padding-right:.9rem}
@media(min-width:901px){
.endpoints{table-layout:fixed}.endpoints th:nth-child(1){width:15%}.endpoints th:nth-child(2){width:14%}.endpoints th:nth-child(n+3){width:5%}.endpoints th:nth-child(n+8){width:4.4%}.endpoints th:nth-child(7){width:9%}.endpoints th:nth-child(11){width:auto}.endpoints th:nth-child(12){width:5.5rem}
.endpoints td:nth-child(n+3):nth-child(-n+10){white-space:nowrap}
.endpoints :is(th,td):nth-child(n+3):nth-child(-n+10),.routes thead th:nth-child(n+5),.failures thead th:is(:nth-child(3),:nth-child(5),:nth-child(6)),.attempts thead th:nth-child(n+4){text-align:right}
.endpoints td:nth-child(11),.endpoints th:nth-child(11){padding-left:1.5rem}
}
button{white-space:nowrap;font:inherit;font-size:.85em;line-height:1.3;padding:.05rem .55rem;color:var(--soft);background:transparent;border:1px solid var(--line);border-radius:6px;cursor:pointer}
button:hover,button:focus-visible{color:var(--text);border-color:var(--soft)}button:disabled{cursor:progress}
.state{white-space:normal}.state::before{content:"";display:inline-block;width:.55em;height:.55em;border-radius:50%;margin-right:.45em;background:var(--dotwarn)}
.state.healthy::before,.state.unchecked::before{background:var(--dot)}.state.unhealthy::before,.state.ejected::before,.state.unresolved::before{background:var(--dotbad);border-radius:1px}
.state.unhealthy,.state.ejected,.state.unresolved{color:var(--bad);font-weight:600}.state.warming,.state.unknown,.state.drained{color:var(--warn)}
.bar{display:block;width:100%;min-width:12rem;height:14px;background:var(--line);border-radius:3px}
rect.queue{fill:var(--queue)}rect.connect{fill:var(--connect)}rect.wait{fill:var(--wait)}rect.body{fill:var(--body)}
.key{margin-right:1.1rem}.key::before{content:"";display:inline-block;width:.65em;height:.65em;border-radius:2px;margin-right:.4em}
.key.queue::before{background:var(--queue)}.key.connect::before{background:var(--connect)}.key.wait::before{background:var(--wait)}.key.body::before{background:var(--body)}
.attempts td:nth-child(3){width:40%}
article{max-width:75ch;font-size:1.02rem}article p{margin:.4rem 0}article ul{padding-left:1.2rem}p.about{margin-top:.9rem}
main>table+h2,main>dl+h2{margin-top:1.5rem}main>.facts{padding-left:.9rem}
.unseen{position:absolute;width:1px;height:1px;margin:-1px;overflow:hidden;clip-path:inset(50%)}
.stale #live{opacity:.55}.stale header::after{content:"no connection: this is how it was";color:var(--bad);font-weight:600}
@media(max-width:900px){
body{padding:0 .75rem 3rem}header{margin:0 -.75rem;padding:.5rem .75rem}
.search{margin:0;flex-basis:100%}.search input{flex:1}.search output:empty{display:none}
.tiles{grid-template-columns:repeat(2,minmax(0,1fr))}.tile:last-child:nth-child(odd){grid-column:span 2}.tile p,#t-ms{font-size:.95rem;line-height:1.4rem}#t-ms{font-size:.85rem;white-space:normal}.tile svg{height:16px}
.cluster>summary{display:flex;flex-wrap:wrap;gap:0 .7rem;padding:.3rem .7rem}.cluster>summary>b{flex:1 1 40%}
.cluster>summary>span:nth-of-type(n+2){font-size:.88em}.cluster>summary>span:nth-of-type(2){margin-left:.9rem}
.cluster>summary>span:nth-of-type(5):not(:has(.bad)),.cluster>summary>span:empty{display:none}
.failure>summary{gap:0 .7rem;padding:.3rem .7rem}.failure>summary::before{margin-right:-.2rem}.failure>summary>b{min-width:0}.failure>summary>span:nth-of-type(n+1){min-width:0}
.facts{padding-left:1.6rem}
table,tbody,caption{display:block}thead{position:absolute;width:1px;height:1px;overflow:hidden;clip-path:inset(50%)}
tr{display:flex;flex-wrap:wrap;gap:0 .8rem;padding:.3rem .7rem;border-top:1px solid var(--line);position:relative}tbody>tr:first-child{border-top:0}
details tr{padding-left:1.6rem}
th,td,th:first-child,details th:first-child{border:0;padding:0;text-align:left}tbody th{flex:1 1 100%}
td[data-name]:not([data-name=""])::before{content:attr(data-name) " ";color:var(--soft)}
.nil{display:none}td.act{position:absolute;right:.7rem;top:.3rem;width:auto}.endpoints tbody th{padding-right:4rem}
.bar{width:88vw;max-width:100%}.attempts td:nth-child(3){width:100%}
dl.record{grid-template-columns:1fr}dl.record dd{margin-bottom:.3rem}
}
`;

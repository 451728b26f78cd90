/** The style of the status page. Colour only repeats what a word says. */
export const STYLE = `
:root{--bg:#fbfbfa;--card:#fff;--text:#1c1d1f;--soft:#5f6368;--line:#e2e3e5;--good:#1a7f4b;--warn:#8a5a00;--bad:#b3261e;--badbg:#fdeceb;--accent:#2457a6}
@media(prefers-color-scheme:dark){:root{--bg:#15171a;--card:#1d2024;--text:#e6e7e9;--soft:#9aa0a6;--line:#32363b;--good:#5fcf97;--warn:#e3b341;--bad:#ff8a80;--badbg:#3a1f1f;--accent:#8ab4f8}}
*{box-sizing:border-box}
body{margin:0 auto;max-width:1560px;padding:1rem 1.25rem 3rem;background:var(--bg);color:var(--text);font:14px/1.45 system-ui,sans-serif;font-variant-numeric:tabular-nums}
h1{font-size:1.25rem;margin:0}h1 small{font-weight:400;color:var(--soft);font-size:.85rem}
h2{font-size:.95rem;margin:1.6rem 0 .5rem}h3{font-size:.75rem;font-weight:500;color:var(--soft);margin:0}
header{display:flex;flex-wrap:wrap;gap:.5rem 2rem;align-items:baseline}
dl{display:flex;flex-wrap:wrap;gap:.25rem 1.5rem;margin:0}dl div{display:flex;gap:.4rem}dt{color:var(--soft)}dd{margin:0;overflow-wrap:anywhere}
a{color:var(--accent)}a:focus-visible{outline:2px solid var(--accent);outline-offset:2px;border-radius:2px}
code{font-family:ui-monospace,monospace;font-size:.9em}
.good{color:var(--good)}.bad{color:var(--bad);font-weight:600}
.problems,.calm{margin-top:1rem;padding:.7rem 1rem;border-radius:8px;border:1px solid var(--line);background:var(--card)}
.problems{background:var(--badbg);border-color:var(--bad)}.problems h2,.calm h2{margin:0 0 .25rem}
.problems h2{color:var(--bad)}.calm h2{color:var(--good)}.calm p{margin:0}
.problems ul{margin:0;padding-left:1.1rem}.problems li{overflow-wrap:anywhere}
.tiles{display:grid;grid-template-columns:repeat(auto-fit,minmax(165px,1fr));gap:.6rem;margin-top:1rem}
.tile{background:var(--card);border:1px solid var(--line);border-radius:8px;padding:.55rem .75rem}
.tile p{font-size:1.15rem;font-weight:600;margin:.1rem 0 .3rem;white-space:nowrap}
.tile:nth-child(3) p{font-size:.95rem;line-height:1.66rem}
.tile.hurting{border-color:var(--bad)}.tile.hurting p{color:var(--bad)}
svg{display:block;width:100%;height:24px}polyline{fill:none;stroke:var(--accent);stroke-width:1.5;vector-effect:non-scaling-stroke}
table{width:100%;border-collapse:collapse;background:var(--card);border:1px solid var(--line);border-radius:8px;margin:.4rem 0 1rem}
caption{text-align:left;padding:.2rem 0 .3rem}caption span{color:var(--soft);margin-left:.5rem}
th,td{padding:.3rem .65rem;text-align:left;vertical-align:top;border-top:1px solid var(--line);overflow-wrap:anywhere}
thead th{border-top:0;color:var(--soft);font-weight:500;font-size:.78rem;white-space:nowrap}
tbody th{font-weight:600;white-space:nowrap}
@media(min-width:1100px){.endpoints{table-layout:fixed}.endpoints th:nth-child(1){width:15%}.endpoints th:nth-child(2){width:10%}.endpoints th:nth-child(4){width:20%}.endpoints th:nth-child(6){width:14%}}
.severity0,.severity1{background:var(--badbg)}
.state::before{content:"";display:inline-block;width:.6em;height:.6em;border-radius:50%;margin-right:.4em;background:var(--warn)}
.state.healthy::before,.state.unchecked::before{background:var(--good)}.state.unhealthy::before,.state.ejected::before,.state.unresolved::before{background:var(--bad);border-radius:1px}
.state.healthy,.state.unchecked{color:var(--good)}.state.unhealthy,.state.ejected,.state.unresolved{color:var(--bad);font-weight:600}.state.warming,.state.unknown,.state.drained{color:var(--warn)}
.unseen{position:absolute;width:1px;height:1px;margin:-1px;overflow:hidden;clip-path:inset(50%)}
.stale{opacity:.55}
@media(max-width:760px){
body{padding:.75rem}
.tiles{grid-template-columns:repeat(2,minmax(0,1fr))}.tile p{font-size:1rem;white-space:normal}
table,tbody,tr,th,td{display:block;width:auto}thead{position:absolute;width:1px;height:1px;overflow:hidden;clip-path:inset(50%)}
tr{border-top:1px solid var(--line);padding:.4rem 0}tr:first-child{border-top:0}
th,td{border:0;padding:.1rem .65rem}tbody th{white-space:normal}
td{display:flex;gap:.75rem}td::before{content:attr(data-name);color:var(--soft);flex:0 0 6.5rem}
caption{display:block;padding:.4rem .65rem}
}
`;

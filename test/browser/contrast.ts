/** An expression for a page: the visible text whose contrast with its background is too low, as WCAG 2.2 section 1.4.3 computes it. */
export function tooFaint(least: number): string {
  return `(() => {
    const canvas = document.createElement('canvas').getContext('2d', { willReadFrequently: true });
    const rgbaOf = colour => {
      canvas.clearRect(0, 0, 1, 1);
      canvas.fillStyle = colour;
      canvas.fillRect(0, 0, 1, 1);
      const [r, g, b, a] = canvas.getImageData(0, 0, 1, 1).data;
      return [r, g, b, a / 255];
    };
    const over = ([r, g, b, a], below) => [r, g, b].map((value, at) => value * a + below[at] * (1 - a));
    const backgroundOf = element => {
      if (element === null) return rgbaOf('Canvas').slice(0, 3);
      const own = rgbaOf(getComputedStyle(element).backgroundColor);
      return own[3] === 1 ? own.slice(0, 3) : over(own, backgroundOf(element.parentElement));
    };
    const luminance = colour => {
      const [r, g, b] = colour.map(value => value / 255).map(value => (value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4));
      return 0.2126 * r + 0.7152 * g + 0.0722 * b;
    };
    const contrast = (a, b) => {
      const [light, dark] = [luminance(a), luminance(b)].sort((x, y) => y - x);
      return (light + 0.05) / (dark + 0.05);
    };
    const seen = new Map();
    let checked = 0;
    for (const details of document.querySelectorAll('details')) details.open = true;
    const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
    while (walker.nextNode()) {
      const element = walker.currentNode.parentElement;
      if (walker.currentNode.data.trim() === '' || element.getClientRects().length === 0) continue;
      const below = backgroundOf(element);
      const found = contrast(over(rgbaOf(getComputedStyle(element).color), below), below);
      checked++;
      if (found < ${least}) seen.set(element.tagName + '.' + element.className + ' ' + found.toFixed(2), walker.currentNode.data.slice(0, 40));
    }
    return { checked, faint: [...seen] };
  })()`;
}

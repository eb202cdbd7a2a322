// The contrast of every text with what lies behind it, by the colours of both.
(() => {
  const canvas = document.createElement("canvas").getContext("2d", { willReadFrequently: true });
  const parse = (colour) => {
    canvas.clearRect(0, 0, 1, 1);
    canvas.fillStyle = colour;
    canvas.fillRect(0, 0, 1, 1);
    return [...canvas.getImageData(0, 0, 1, 1).data];
  };
  const light = ([r, g, b]) => {
    const [x, y, z] = [r, g, b].map((c) => c / 255).map((c) => (c <= 0.03928 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4));
    return 0.2126 * x + 0.7152 * y + 0.0722 * z;
  };
  const behind = (part) => {
    for (let one = part; one; one = one.parentElement) {
      const row = one.closest("a.row");
      if (row) return parse(getComputedStyle(row.querySelector("rect")).fill);
      const colour = parse(getComputedStyle(one).backgroundColor);
      if (colour[3] === 255) return colour;
    }
    return [255, 255, 255, 255];
  };
  const ratios = {};
  for (const part of document.querySelectorAll("body *")) {
    const own = [...part.childNodes].some((node) => node.nodeType === 3 && node.textContent.trim());
    if (!own || part.closest("script, style, .skip, title")) continue;
    const style = getComputedStyle(part);
    const front = parse(part.ownerSVGElement ? style.fill : style.color), back = behind(part);
    const opacity = Number(style.opacity);
    const mixed = front.map((c, i) => c * opacity + back[i] * (1 - opacity));
    const [high, low] = [light(mixed), light(back)].sort((a, b) => b - a);
    ratios[`${front} on ${back}, ${opacity}`] = (high + 0.05) / (low + 0.05);
  }
  return ratios;
})()

"use strict";
// The chart of a result: two columns against each other, coloured by a third.
(() => {
  const data = JSON.parse(document.getElementById("chart-data").textContent);
  const [across, up, colour] = ["x", "y", "colour"].map((name) => document.getElementById(`chart-${name}`));
  const plot = document.getElementById("chart-plot");
  const reading = document.getElementById("chart-reading");
  const KINDS = { f4: Float32Array, f8: Float64Array, u1: Uint8Array, u2: Uint16Array, i4: Int32Array };
  const unpacked = (packed) =>
    new KINDS[packed.dtype](Uint8Array.from(atob(packed.bdata), (character) => character.charCodeAt(0)).buffer);
  const escaped = (text) => text.replace(/&/g, "&amp;").replace(/</g, "&lt;").replace(/>/g, "&gt;");
  const ids = data.ids && unpacked(data.ids);
  const names = Object.keys(data.numbers);
  const LARGE = 4000; // points of which each is drawn smaller and paler

  const offer = (select, options, chosen) => {
    select.replaceChildren(...options.map(([value, text]) => new Option(text, value, false, value === chosen)));
  };
  const NUMBER = "(row number)";
  const plain = names.filter((name) => !/(^|_)(id|index)$/.test(name));
  const [first, second] = plain.length > 1 ? plain : names.length > 1 ? names : [NUMBER, names[0]];
  offer(across, [[NUMBER, NUMBER], ...names.map((name) => [name, name])], first);
  offer(up, names.map((name) => [name, name]), second);
  offer(colour, [["", "(none)"], ...Object.keys(data.groups).map((name) => [`g${name}`, name]), ...names.map((name) => [`n${name}`, name])], "");

  const values = (name) =>
    name === NUMBER ? Float32Array.from({ length: data.count }, (_, row) => row + 1) : unpacked(data.numbers[name]);
  const size = data.count > LARGE ? 3.5 : data.count > 400 ? 5 : 8;
  const opacity = data.count > LARGE ? 0.45 : 0.8;
  const trace = (x, y, rows, marker, name) => ({
    type: "scatter", mode: "markers", x: rows.map((row) => x[row]), y: rows.map((row) => y[row]),
    customdata: rows, marker: { size, opacity, ...marker }, name, showlegend: Boolean(name),
    hovertemplate: `%{x:.6~g}, %{y:.6~g}<extra>${name || ""}</extra>`,
  });
  const traces = (x, y) => {
    const rows = Array.from({ length: data.count }, (_, row) => row).filter((row) => !Number.isNaN(x[row] + y[row]));
    const chosen = colour.value.slice(1);
    if (colour.value.startsWith("g")) {
      const { words, codes } = data.groups[chosen];
      const group = unpacked(codes);
      return words.map((word, number) => trace(x, y, rows.filter((row) => group[row] === number), { color: `series-${(number % 8) + 1}`, symbol: Math.floor(number / 8) }, word));
    }
    if (colour.value.startsWith("n")) {
      const third = values(chosen);
      const scale = { color: rows.map((row) => third[row]), colorscale: "Viridis", showscale: true, colorbar: { title: { text: escaped(chosen) }, thickness: 12, outlinewidth: 0 } };
      return [trace(x, y, rows, scale, "")];
    }
    return [trace(x, y, rows, { color: "series-1" }, "")];
  };
  const draw = () => {
    const [x, y] = [values(across.value), values(up.value)];
    const drawn = traces(x, y);
    const points = drawn.reduce((sum, one) => sum + one.x.length, 0);
    const layout = { xaxis: { title: { text: escaped(across.value) } }, yaxis: { title: { text: escaped(up.value) } } };
    const says = `${up.value} against ${across.value}: ${points.toLocaleString("en")} points`;
    plot.setAttribute("aria-label", says);
    reading.textContent = says + (data.count > points ? `; ${(data.count - points).toLocaleString("en")} rows lack one of them` : "")
      + (data.count < data.total ? `; the first ${data.count.toLocaleString("en")} of ${data.total.toLocaleString("en")} rows` : "")
      + (ids ? ". A point leads to its architecture." : ".");
    window.catalogFigures.draw(plot, { data: drawn, layout }).then(() => {
      if (!ids || plot.dataset.leads) return;
      plot.dataset.leads = "yes";
      plot.on("plotly_click", (event) => { window.location.href = `/architectures/${ids[event.points[0].customdata]}`; });
    });
  };
  for (const select of [across, up, colour]) select.addEventListener("change", draw);
  draw();
})();

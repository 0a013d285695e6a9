"use strict";
// Figures: each is drawn when it comes near the view, in the page's colours, and again when those change.
(() => {
  const HEXAGON = [[0, 2], [1, 1], [1, -1], [0, -2], [-1, -1], [-1, 1], [0, 2]]; // in thirds and halves of a bin
  const LEVELS = 9;
  const CONFIG = { displaylogo: false, responsive: true, modeBarButtonsToRemove: ["lasso2d", "select2d"], topojsonURL: "" };
  const drawn = new Map(); // plot element -> its specification
  const narrow = () => window.innerWidth < 640;

  // ------------------------------------------------------------------------------------------ colours
  const colour = (name) => getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim();
  const NAMED = /^(series-\d|ink|quiet|rule|grid|paper|panel|accent|low|high|negative|middle|positive)$/;
  const parts = (hex) => [1, 3, 5].map((at) => parseInt(hex.slice(at, at + 2), 16));
  const mixed = (first, second, share) => {
    const [a, b] = [parts(first), parts(second)];
    return `rgb(${a.map((value, index) => Math.round(value + (b[index] - value) * share)).join(",")})`;
  };
  const resolved = (value, key) => {
    if (typeof value === "string") {
      return /colou?r/i.test(key) && NAMED.test(value) ? colour(value) : value;
    }
    if (Array.isArray(value)) return value.map((part) => resolved(part, key));
    if (value && typeof value === "object" && !("bdata" in value)) {
      return Object.fromEntries(Object.entries(value).map(([inner, part]) => [inner, resolved(part, inner)]));
    }
    return value;
  };

  // ------------------------------------------------------------------------------------------ arrays
  const KINDS = { f4: Float32Array, f8: Float64Array, u1: Uint8Array, u2: Uint16Array, i4: Int32Array };
  const unpacked = (packed) => {
    if (Array.isArray(packed)) return packed;
    const bytes = Uint8Array.from(atob(packed.bdata), (character) => character.charCodeAt(0));
    return new KINDS[packed.dtype](bytes.buffer);
  };

  // ------------------------------------------------------------------------------------------ hexagons
  // Centres and counts become one filled trace a level of the logarithm, and unseen points that answer the pointer.
  const hexagons = (trace) => {
    const [x, y, count] = [unpacked(trace.x), unpacked(trace.y), unpacked(trace.count)];
    const most = Math.log1p(Math.max(...count));
    const rings = Array.from({ length: LEVELS }, () => ({ x: [], y: [] }));
    for (let bin = 0; bin < x.length; bin++) {
      const level = most ? Math.min(LEVELS - 1, Math.floor((LEVELS * Math.log1p(count[bin])) / most)) : 0;
      for (const [across, along] of HEXAGON) {
        rings[level].x.push(x[bin] + (across * trace.dx) / 2);
        rings[level].y.push(y[bin] + (along * trace.dy) / 3);
      }
      rings[level].x.push(null);
      rings[level].y.push(null);
    }
    const [low, high] = [colour("low"), colour("high")];
    const filled = rings.map((ring, level) => ({
      type: "scatter", mode: "lines", ...ring, fill: "toself", hoverinfo: "skip", showlegend: false,
      fillcolor: mixed(low, high, level / (LEVELS - 1)), line: { width: 0 },
    }));
    const answering = {
      type: "scatter", mode: "markers", x: trace.x, y: trace.y, customdata: trace.customdata, hoverinfo: "none",
      marker: {
        size: 9, opacity: 0, color: Array.from(count, Math.log1p), colorscale: [[0, low], [1, high]], showscale: true,
        cmin: 0, cmax: most, colorbar: scale(count, most),
      },
      showlegend: false, meta: { ...trace.meta, count: Array.from(count) },
    };
    return [...filled.filter((ring) => ring.x.length), answering];
  };
  const scale = (count, most) => {
    const ticks = [1, 10, 100, 1000, 10000, 100000].filter((tick) => Math.log1p(tick) <= most);
    return {
      title: { text: "architectures" }, thickness: 12, outlinewidth: 0, tickvals: ticks.map(Math.log1p),
      ticktext: ticks.map((tick) => tick.toLocaleString("en")), orientation: narrow() ? "h" : "v",
      ...(narrow() ? { y: -0.32, yanchor: "top", len: 0.9 } : {}),
    };
  };

  // ------------------------------------------------------------------------------------------ layout
  const axisDefaults = () => ({
    gridcolor: colour("grid"), zerolinecolor: colour("rule"), linecolor: colour("rule"), automargin: true,
    tickfont: { color: colour("quiet") },
  });
  const completed = (layout) => {
    const whole = resolved(layout, "layout");
    const result = {
      margin: { l: 56, r: 16, t: 16, b: 48 }, hovermode: "closest", dragmode: narrow() ? false : "zoom",
      legend: { orientation: "h", yref: "container", y: 0, yanchor: "bottom", x: 0 }, autosize: true, ...whole,
      paper_bgcolor: "rgba(0,0,0,0)", plot_bgcolor: "rgba(0,0,0,0)",
      font: { family: "inherit", size: 12, color: colour("ink") },
      hoverlabel: { bgcolor: colour("panel"), bordercolor: colour("rule"), font: { color: colour("ink") } },
      modebar: { bgcolor: "rgba(0,0,0,0)", color: colour("quiet"), activecolor: colour("accent"), orientation: "v" },
    };
    for (const name of Object.keys(result)) {
      if (/^[xy]axis\d*$/.test(name)) result[name] = { ...axisDefaults(), ...result[name] };
    }
    return result;
  };

  // Plotly is text on the page, or a file that comes later, until the page itself is ready.
  let loading;
  const run = (source) => {
    if (window.Plotly || !source) return;
    const script = document.createElement("script");
    script.textContent = source.textContent;
    document.head.append(script);
  };
  const plotly = () => {
    loading ||= new Promise((resolve) => {
      const source = document.getElementById("plotly-source");
      if (!source) return document.readyState === "complete" ? resolve() : window.addEventListener("load", resolve);
      return setTimeout(() => { run(source); resolve(); });
    });
    return loading;
  };

  const draw = (plot, specification) => {
    drawn.set(plot, specification);
    plot.removeAttribute("data-drawn");
    return plotly().then(() => (drawn.get(plot) === specification ? paint(plot, specification) : undefined));
  };
  const paint = (plot, specification) => {
    const data = specification.data.flatMap((trace) => (trace.type === "hexbin" ? hexagons(trace) : [trace]));
    const painted = data.map((trace) => resolved(trace, "trace"));
    return window.Plotly.react(plot, painted, completed(specification.layout), CONFIG).then(() => {
      plot.setAttribute("data-drawn", "yes");
      if (!plot.dataset.listens) {
        plot.dataset.listens = "yes";
        plot.on("plotly_hover", (event) => show(event));
        plot.on("plotly_unhover", hide);
      }
    });
  };

  // ------------------------------------------------------------------------------------------ the cell at the pointer
  const tip = document.getElementById("tip");
  const stored = new Map();
  const json = (identifier) => {
    if (!stored.has(identifier)) stored.set(identifier, JSON.parse(document.getElementById(identifier).textContent));
    return stored.get(identifier);
  };
  const element = (name, attributes, text) => {
    const made = document.createElementNS("http://www.w3.org/2000/svg", name);
    for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
    if (text !== undefined) made.textContent = text;
    return made;
  };
  const FILLS = {
    conv: "#b9d3f2", depthwise: "#c9c6f0", dilated: "#b5e3e1", pool: "#c5e6c3", skip: "#f6e7a8", merge: "#e3cdf0",
    input: "#e3e6ea", output: "#e3e6ea", none: "#f0f0f0", other: "#f3d2bd",
  };
  const drawing = (cells, shapes, words) => {
    const gap = 14;
    let width = 0;
    let height = 0;
    const picture = element("svg", { role: "img", "font-size": 11, "text-anchor": "middle", "font-family": "inherit" });
    for (const [shape, operators] of cells) {
      const { size, nodes, edges } = shapes[shape];
      const group = element("g", { transform: `translate(${width} 0)` });
      for (const [multiplicity, ...points] of edges) {
        let path = `M${points[0]},${points[1] + 10}`;
        for (let at = 2; at < points.length; at += 2) {
          const last = at + 2 === points.length;
          const [x, y, end] = [points[at], points[at + 1], points[at + 1] - 10];
          const middle = (points[at - 1] + 10 + end) / 2;
          path += ` C${points[at - 2]},${middle} ${x},${middle} ${x},${end}${last ? "" : ` V${y + 10}`}`;
        }
        group.append(element("path", { d: path, fill: "none", stroke: "#7d8794", "stroke-width": multiplicity > 1 ? 2.6 : 1.2 }));
      }
      operators.forEach((operator, node) => {
        const [x, y] = nodes[node];
        const [word, kind] = words[operator];
        const box = { x: x - 44, y: y - 10, width: 88, height: 20, rx: 5, fill: FILLS[kind] || FILLS.other, stroke: "#7d8794" };
        group.append(element("rect", box), element("text", { x, y: y + 4, fill: "#1d2129" }, word));
      });
      picture.append(group);
      width += size[0] + gap;
      height = Math.max(height, size[1]);
    }
    picture.setAttribute("viewBox", `-2 0 ${width - gap + 4} ${height}`);
    picture.setAttribute("width", width - gap + 4);
    picture.setAttribute("height", height);
    return picture;
  };
  const show = (event) => {
    const point = event.points[0];
    const meta = point.data.meta;
    if (!meta || !meta.cells || !document.getElementById(meta.cells)) return;
    const book = json(meta.cells);
    const entry = book.architectures[point.customdata] || ["", []];
    const lines = [];
    const line = (text, strong) => {
      const made = document.createElement(strong ? "b" : "div");
      made.textContent = text;
      lines.push(made);
    };
    const count = meta.count ? meta.count[point.pointNumber] : 1;
    if (entry[0]) line(entry[0], true);
    line(`${meta.x} ${Number(point.x.toPrecision(5))}, ${meta.y} ${Number(point.y.toPrecision(5))}`);
    if (meta.count) line(count > 1 ? `one of ${count.toLocaleString("en")} architectures around here` : "the only architecture here");
    tip.replaceChildren(...lines, ...(entry[1].length ? [drawing(entry[1], book.shapes, book.words)] : []));
    tip.classList.toggle("wide", entry[1].length > 1);
    tip.hidden = false;
    place(event.event);
  };
  const place = (pointer) => {
    const [width, height] = [tip.offsetWidth, tip.offsetHeight];
    const left = pointer.clientX + 16 + width > window.innerWidth ? pointer.clientX - 16 - width : pointer.clientX + 16;
    const top = Math.min(pointer.clientY + 12, window.innerHeight - height - 8);
    tip.style.left = `${Math.max(8, left)}px`;
    tip.style.top = `${Math.max(8, top)}px`;
  };
  const hide = () => { tip.hidden = true; };
  document.addEventListener("scroll", hide, { passive: true });
  document.addEventListener("keydown", (event) => { if (event.key === "Escape") hide(); });

  // ------------------------------------------------------------------------------------------ what is shown when
  // Lists of one name show the same option everywhere on the page, and what belongs to another option is hidden.
  const state = {};
  const place_in = (name) => state[name] || 0;
  const start = (plot) => {
    if (plot.dataset.figure) return draw(plot, json(plot.dataset.figure));
    const figure = plot.closest("figure");
    const specification = json(plot.dataset.choice)[figure.dataset.keys.split(" ").map(place_in).join(" ")];
    const reading = figure.querySelector(".reading");
    plot.dataset.started = "yes";
    plot.hidden = !specification;
    const words = specification ? specification.alternative : "There are no values for this choice.";
    plot.setAttribute("aria-label", words);
    reading.textContent = words;
    return specification ? draw(plot, specification) : plot.setAttribute("data-drawn", "nothing");
  };
  const follow = () => {
    document.querySelectorAll("[data-pool]").forEach((part) => { part.hidden = Number(part.dataset.pool) !== place_in("pool"); });
  };
  document.addEventListener("change", (event) => {
    const name = event.target.dataset.chooser;
    if (name === undefined) return;
    hide();
    state[name] = event.target.selectedIndex;
    document.querySelectorAll("select[data-chooser]").forEach((select) => {
      if (select.dataset.chooser === name) select.selectedIndex = state[name];
    });
    follow();
    document.querySelectorAll(".plot[data-started]").forEach((plot) => {
      if (plot.closest("figure").dataset.keys.split(" ").includes(name)) start(plot);
    });
  });
  const nearby = new IntersectionObserver((entries) => {
    for (const entry of entries.filter((candidate) => candidate.isIntersecting)) {
      nearby.unobserve(entry.target);
      start(entry.target);
    }
  }, { rootMargin: "300px" });
  document.querySelectorAll(".plot[data-figure], .plot[data-choice]").forEach((plot) => nearby.observe(plot));
  const repaint = () => drawn.forEach((specification, plot) => { if (!plot.hidden) draw(plot, specification); });
  window.matchMedia("(prefers-color-scheme: dark)").addEventListener("change", repaint);

  // ------------------------------------------------------------------------------------------ on paper
  // Every figure is drawn, seen or not, in light colours and at the paper's width, and what is folded is opened.
  let folded = [];
  window.addEventListener("beforeprint", () => {
    document.documentElement.dataset.printing = "yes";
    folded = [...document.querySelectorAll("details:not([open])")];
    folded.forEach((part) => { part.open = true; });
    run(document.getElementById("plotly-source"));
    if (!window.Plotly) return;
    loading = Promise.resolve();
    document.querySelectorAll(".plot[data-figure], .plot[data-choice]").forEach((plot) => start(plot));
  });
  window.addEventListener("afterprint", () => {
    delete document.documentElement.dataset.printing;
    folded.forEach((part) => { part.open = false; });
    repaint();
  });
  follow();
  window.requestIdleCallback ? window.requestIdleCallback(plotly) : setTimeout(plotly, 200);
  window.catalogFigures = { draw };
})();

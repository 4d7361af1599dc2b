// The page's own part: cytoscape draws what topo has laid out. All text goes in as text, never as markup.
"use strict";

const graph = JSON.parse(document.getElementById("graph").textContent);
const byId = new Map(graph.nodes.map((node) => [node.id, node]));
const zonesById = new Map(graph.zones.map((zone) => [zone.id, zone]));
const nameOf = (id) => (byId.get(id) ?? zonesById.get(id)).name;
const dark = window.matchMedia("(prefers-color-scheme: dark)");
const $ = (id) => document.getElementById(id);

/** An element with attributes and children; strings become text. */
function make(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name === "class") element.className = value;
    else if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else element.setAttribute(name, value);
  }
  element.append(...children.filter((child) => child !== "" && child != null));
  return element;
}

// --- the drawing ---

const center = ([x, y, w, h]) => ({ x: x + w / 2, y: y + h / 2 });
const shape = (id, box, data, classes) => ({
  group: "nodes", data: { id, w: box[2], h: box[3], ...data }, position: center(box), classes, grabbable: false, selectable: false,
});

/** An edge along `points`: its corners in the terms of cytoscape, by how far along and beside the line between its ends. */
function edge(id, source, target, points, data, classes) {
  const [from, to] = [points[0], points[points.length - 1]];
  const offset = (point, node) => `${point[0] - node.position.x}px ${point[1] - node.position.y}px`;
  const across = [to[0] - from[0], to[1] - from[1]];
  const length2 = across[0] ** 2 + across[1] ** 2 || 1;
  const length = Math.sqrt(length2);
  const corners = points.slice(1, -1).map(([x, y]) => {
    const [dx, dy] = [x - from[0], y - from[1]];
    return { weight: (dx * across[0] + dy * across[1]) / length2, distance: (dy * across[0] - dx * across[1]) / length };
  });
  return {
    group: "edges", classes: classes + (corners.length > 0 ? " bent" : ""), selectable: false,
    data: {
      id, source: source.data.id, target: target.data.id, begin: offset(from, source), end: offset(to, target),
      weights: corners.map((it) => it.weight).join(" "), distances: corners.map((it) => it.distance).join(" "), ...data,
    },
  };
}

/** The shape of a zone that a wire touches, or of one of its members. */
function touched(shapes, id, point) {
  if (shapes.has(id)) return shapes.get(id);
  const zone = zonesById.get(id);
  const touches = ([x, y, w, h]) => point[0] >= x && point[0] <= x + w && point[1] >= y && point[1] <= y + h;
  const frame = zone.boxes.findIndex(touches);
  return shapes.get(frame >= 0 ? `${id}#${frame}` : zone.members.find((member) => touches(byId.get(member).box)));
}

function elements() {
  const shapes = new Map();
  const found = [];
  const put = (element) => { shapes.set(element.data.id, element); found.push(element); };
  for (const zone of graph.zones) zone.boxes.forEach((box, i) => put(shape(`${zone.id}#${i}`, box, { thing: zone.id }, "zone")));
  for (const node of graph.nodes) put(shape(node.id, node.box, { thing: node.id }, [node.kind, node.drift, node.namespaces?.length > 1 ? "several" : ""].join(" ")));
  graph.buses.forEach(([[x1, y1], [x2]], i) => put(shape(`bus ${i}`, [x1, y1 - 2, x2 - x1, 4], {}, "bus")));
  // Names that are read from afar, where the others are too small.
  for (const node of graph.nodes) if (node.kind === "bridge") put(shape(`far ${node.id}`, [node.box[0], node.box[1], node.box[2], node.box[3]], { text: node.name }, "far"));
  graph.texts.forEach((text, i) => {
    // Title and legend stand outside the drawing here.
    if (["title", "subtitle", "legend"].includes(text.style)) return;
    put(shape(`text ${i}`, text.box, { text: text.text, size: text.size, node: text.node ?? "" }, `text ${text.style} ${text.flow ?? ""}`));
  });
  graph.cables.forEach((cable, i) => cable.wires.forEach((points, k) => {
    const [source, target] = cable.ends.map((end) => shapes.get(end.node));
    found.push(edge(`cable ${i} ${k}`, source, target, points, { cable: i }, `cable ${cable.drift ?? ""}`));
  }));
  graph.flows.forEach((flow, i) => flow.wires.forEach((points, k) => {
    const end = (ids, point) => ids.map((id) => touched(shapes, id, point)).filter(Boolean).find((it) => on(it, point)) ?? touched(shapes, ids[0], point);
    const source = end(flow.from, points[0]), target = end(flow.to, points[points.length - 1]);
    found.push(edge(`flow ${i} ${k}`, source, target, points, { flow: i }, `flow ${flow.kind} ${flow.both_ways ? "both" : ""} ${flow.drift ?? ""}`));
  }));
  return found;
}

function on(it, [x, y]) {
  return Math.abs(x - it.position.x) <= it.data.w / 2 && Math.abs(y - it.position.y) <= it.data.h / 2;
}

function style() {
  const colors = getComputedStyle(document.documentElement);
  const color = (name) => colors.getPropertyValue(`--${name}`).trim();
  const sans = 'system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", Arial, "DejaVu Sans", sans-serif';
  const mono = 'ui-monospace, "SF Mono", Menlo, Consolas, "Liberation Mono", "DejaVu Sans Mono", monospace';
  const kinds = ["allow", "deny", "port", "nat"];
  return [
    // Wires run over frames and below cards, which only their own numbers tell.
    { selector: "*", style: { "z-index-compare": "manual" } },
    { selector: "node", style: { width: "data(w)", height: "data(h)", shape: "round-rectangle", "corner-radius": 6, "background-color": color("card"), "border-width": 1, "border-color": color("card-line"), "overlay-opacity": 0 } },
    { selector: "node.zone", style: { "corner-radius": 12, "background-color": color("zone"), "background-opacity": 0.09, "border-color": color("zone"), "border-style": "dashed", "z-index": 1 } },
    { selector: "node.bridge", style: { "corner-radius": 10, "background-color": color("frame"), "border-color": color("frame-line"), "z-index": 2 } },
    { selector: "node.bus", style: { "background-color": color("bus"), "border-width": 0, "corner-radius": 2, "z-index": 4, events: "no" } },
    { selector: "node.internet, node.outside, node.any, node.host", style: { "background-color": color("outer"), "z-index": 6 } },
    { selector: "node.internet, node.outside, node.any", style: { "corner-radius": 22 } },
    { selector: "node.namespace", style: { "z-index": 6 } },
    { selector: "node.several", style: { "border-style": "double", "border-width": 4 } },
    { selector: "node.missing, node.changed, node.extra", style: { "border-width": 3 } },
    { selector: "node.text", style: { label: "data(text)", color: color("soft"), "font-size": "data(size)", "font-family": sans, "text-valign": "center", "text-halign": "center", "background-opacity": 0, "border-width": 0, "z-index": 9, events: "no", "min-zoomed-font-size": 5 } },
    { selector: "node.far", style: { label: "data(text)", color: color("ink"), "font-family": sans, "font-weight": 600, "text-valign": "center", "text-halign": "center", "text-background-color": color("frame"), "text-background-opacity": 0.85, "text-background-padding": 4, "text-background-shape": "round-rectangle", "background-opacity": 0, "border-width": 0, "z-index": 10, events: "no", visibility: "hidden" } },
    { selector: "node.text.name", style: { color: color("ink"), "font-weight": 600 } },
    { selector: "node.text.line, node.text.label, node.text.end", style: { "font-family": mono } },
    { selector: "node.text.label", style: { "background-color": color("paper"), "background-opacity": 1, "corner-radius": 3 } },
    { selector: "node.text.tag", style: { "background-color": color("chip"), "background-opacity": 1, "corner-radius": 8 } },
    { selector: "node.text.zone", style: { color: color("zone-ink"), "font-weight": 600 } },
    ...kinds.map((kind) => ({ selector: `node.text.${kind}`, style: { color: color(kind) } })),
    { selector: "edge", style: { width: 1.6, "curve-style": "straight", "source-endpoint": "data(begin)", "target-endpoint": "data(end)", "z-index": 3, "overlay-opacity": 0 } },
    { selector: "edge.bent", style: { "curve-style": "round-segments", "segment-weights": "data(weights)", "segment-distances": "data(distances)", "segment-radii": 6, "edge-distances": "endpoints" } },
    { selector: "edge.cable", style: { "line-color": color("cable"), "source-arrow-shape": "circle", "target-arrow-shape": "circle", "source-arrow-color": color("cable"), "target-arrow-color": color("cable"), "arrow-scale": 0.6 } },
    { selector: "edge.flow", style: { "target-arrow-shape": "triangle", "arrow-scale": 0.9, "z-index": 5 } },
    { selector: "edge.both", style: { "source-arrow-shape": "triangle" } },
    ...kinds.map((kind) => ({ selector: `edge.${kind}`, style: { "line-color": color(kind), "target-arrow-color": color(kind), "source-arrow-color": color(kind) } })),
    { selector: "edge.deny", style: { "line-style": "dashed" } },
    { selector: "edge.nat", style: { "line-style": "dotted" } },
    ...["missing", "changed", "extra"].flatMap((drift) => [
      { selector: `node.${drift}`, style: { "border-color": color(drift) } },
      { selector: `edge.${drift}`, style: { width: 3, "line-color": color(drift), "target-arrow-color": color(drift), "source-arrow-color": color(drift) } },
    ]),
    { selector: ".missing", style: { "line-style": "dashed" } },
    { selector: "node.missing", style: { "border-style": "dashed" } },
    { selector: ".dim", style: { opacity: 0.25 } },
    { selector: "node.found", style: { "background-color": color("found"), "background-opacity": 1 } },
    { selector: "node.chosen", style: { "border-color": color("accent"), "border-width": 3 } },
    { selector: "edge.chosen", style: { width: 4 } },
  ];
}

function legend() {
  const entries = [["cable", "cable", "cable"]];
  const words = { allow: "may open connections", deny: "may not", port: "port of the host", nat: "way out by nat" };
  for (const [kind, text] of Object.entries(words)) if (graph.flows.some((flow) => flow.kind === kind)) entries.push([kind, text, kind]);
  if (graph.zones.length > 0) entries.push(["zone", "zone", "zone"]);
  const drift = { missing: "missing in the kernel", changed: "changed in the kernel", extra: "not in the file" };
  for (const [kind, text] of Object.entries(drift)) if ([...graph.nodes, ...graph.cables, ...graph.flows].some((it) => it.drift === kind)) entries.push([kind, text, kind]);
  const sign = (kind) => {
    const mark = make("i", { class: ["zone", "missing", "changed", "extra"].includes(kind) ? "box" : "" });
    mark.style.borderColor = `var(--${kind})`;
    mark.style.borderStyle = { deny: "dashed", nat: "dotted", zone: "dashed", missing: "dashed" }[kind] ?? "solid";
    return mark;
  };
  $("legend").replaceChildren(...entries.map(([kind, text]) => make("li", {}, sign(kind), text)));
}

// Before the drawing takes what room is left.
legend();

const cy = cytoscape({
  container: $("canvas"), elements: elements(), style: style(), layout: { name: "preset" }, boxSelectionEnabled: false, autoungrabify: true, minZoom: 0.02, maxZoom: 6,
  hideEdgesOnViewport: graph.nodes.length > 1500, textureOnViewport: graph.nodes.length > 300,
});

function fit() {
  cy.fit(cy.elements(), 40);
  // A small network need not fill the screen.
  if (cy.zoom() > 1.6) cy.zoom({ level: 1.6, renderedPosition: { x: cy.width() / 2, y: cy.height() / 2 } });
}
function zoomBy(factor) { cy.zoom({ level: cy.zoom() * factor, renderedPosition: { x: cy.width() / 2, y: cy.height() / 2 } }); }

const far = cy.nodes(".far");
function nameFrames() {
  const zoom = cy.zoom();
  far.style(zoom < 0.45 ? { visibility: "visible", "font-size": 14 / zoom } : { visibility: "hidden" });
}

fit();
nameFrames();
cy.on("zoom", nameFrames);
dark.addEventListener("change", () => { cy.style(style()); nameFrames(); });

// --- details ---

const badge = (text, kind = "") => make("span", { class: `badge ${kind}` }, text);
const list = (items) => make("ul", {}, ...items);
const link = (id) => make("button", { type: "button", onclick: () => choose(id) }, nameOf(id));
const small = (text) => (text ? make("small", {}, text) : "");

function factItem(fact) {
  return make("li", { class: fact.drift ?? "" }, fact.namespace ? `${fact.namespace} ` : "", fact.text, fact.drift ? ` (${fact.drift})` : "", small(fact.where));
}

function section(title, items, most = 200) {
  if (items.length === 0) return [];
  const more = items.length - most;
  return [make("h3", {}, title), list(more > 0 ? [...items.slice(0, most), make("li", {}, `… and ${more} more`)] : items)];
}

function flowItem(flow) {
  return make("li", {}, make("span", { class: flow.kind }, flow.text), flow.drift ? make("span", { class: flow.drift }, ` (${flow.drift})`) : "", small(flow.where));
}

function flowsOf(id) {
  const zones = byId.has(id) ? (byId.get(id).zones ?? []).map((name) => `zone ${name}`) : [];
  return graph.flows.filter((flow) => [id, ...zones].some((it) => flow.from.includes(it) || flow.to.includes(it)));
}

function describeNode(node) {
  const cables = graph.cables.flatMap((cable, i) => {
    const here = cable.ends.findIndex((end) => end.node === node.id);
    if (here < 0) return [];
    const end = cable.ends[here], peer = cable.ends[1 - here];
    return [make("li", { class: cable.drift ?? "" }, end.interface ? `${end.interface} — ` : "", link(peer.node), peer.interface ? `:${peer.interface}` : "", small(cable.where))];
  });
  const kinds = new Map();
  for (const fact of node.facts ?? []) kinds.set(fact.kind, [...(kinds.get(fact.kind) ?? []), fact]);
  const titles = { address: "Addresses", route: "Routes", rule: "Routing rules", sysctl: "Sysctls", firewall: "Firewall", veth: "Interfaces", bridge: "Bridge", namespace: "Namespace" };
  return [
    make("h2", {}, node.name),
    make("p", {}, badge(node.kind), ...(node.tags ?? []).map((tag) => badge(tag)), node.drift ? badge(node.drift, node.drift) : ""),
    node.where ? make("p", {}, node.where) : "",
    ...section("Zones", (node.zones ?? []).map((zone) => make("li", {}, link(`zone ${zone}`)))),
    ...(node.namespaces?.length > 1 ? section("Namespaces", node.namespaces.map((name) => make("li", {}, name))) : []),
    ...section("Cables", cables),
    ...[...kinds].flatMap(([kind, facts]) => section(titles[kind] ?? kind, facts.map(factItem))),
    ...section("Policy", flowsOf(node.id).map(flowItem)),
  ];
}

function describeZone(zone) {
  return [
    make("h2", {}, zone.name), make("p", {}, badge("zone")), zone.where ? make("p", {}, zone.where) : "",
    ...section("Members", zone.members.map((id) => make("li", {}, link(id)))), ...section("Policy", flowsOf(zone.id).map(flowItem)),
  ];
}

function describeCable(cable) {
  const end = (it) => make("li", {}, link(it.node), it.interface ? `:${it.interface}` : "");
  return [make("h2", {}, cable.ends.map((it) => nameOf(it.node)).join(" — ")), make("p", {}, badge("cable"), cable.drift ? badge(cable.drift, cable.drift) : ""),
    cable.where ? make("p", {}, cable.where) : "", ...section("Ends", cable.ends.map(end))];
}

function describeFlow(flow) {
  return [make("h2", { class: flow.kind }, flow.text), make("p", {}, badge(flow.kind), flow.drift ? badge(flow.drift, flow.drift) : ""),
    flow.where ? make("p", {}, flow.where) : "", ...section("From", flow.from.map((id) => make("li", {}, link(id)))), ...section("To", flow.to.map((id) => make("li", {}, link(id))))];
}

function describeAll() {
  const drifted = [...graph.nodes, ...graph.flows, ...graph.cables].filter((it) => it.drift);
  const item = (it) => make("li", { class: it.drift }, it.name ?? it.text ?? it.ends.map((end) => nameOf(end.node)).join(" — "), ` (${it.drift})`, small(it.where));
  return [
    make("h2", {}, graph.topology),
    make("p", {}, "Click something to see what is known of it."),
    ...(graph.notes ?? []).map((note) => make("p", {}, note)),
    ...section(graph.live ? "Differs from the file" : "", drifted.map(item)),
    ...section("Policy", graph.flows.map(flowItem)),
  ];
}

function show(parts) { $("details").replaceChildren(...parts.filter((part) => part !== "")); }

/** Marks a node or a zone, tells of it, and moves it into sight. */
function choose(id, move = true) {
  cy.elements(".chosen").removeClass("chosen");
  const shown = cy.nodes().filter((node) => node.data("thing") === id);
  shown.addClass("chosen");
  show(byId.has(id) ? describeNode(byId.get(id)) : describeZone(zonesById.get(id)));
  showView("picture");
  if (move && shown.length > 0) {
    const at = cy.extent(), box = shown.boundingBox();
    const visible = box.x1 >= at.x1 && box.x2 <= at.x2 && box.y1 >= at.y1 && box.y2 <= at.y2;
    if (!visible || cy.zoom() < 0.6) cy.animate({ center: { eles: shown }, zoom: Math.max(cy.zoom(), 0.8), duration: 200 });
  }
}

cy.on("tap", (event) => {
  if (event.target === cy) {
    cy.elements(".chosen").removeClass("chosen");
    return show(describeAll());
  }
  const data = event.target.data();
  if (data.thing) return choose(data.thing, false);
  cy.elements(".chosen").removeClass("chosen");
  if (data.cable !== undefined || data.flow !== undefined) {
    event.target.addClass("chosen");
    show(data.cable !== undefined ? describeCable(graph.cables[data.cable]) : describeFlow(graph.flows[data.flow]));
  }
});

// --- search ---

const haystacks = [
  ...graph.nodes.map((node) => [node.id, [node.name, ...(node.namespaces ?? []), ...(node.addresses ?? []), ...(node.tags ?? []), ...(node.facts ?? []).map((fact) => fact.text), ...flowsOf(node.id).map((flow) => flow.text)].join("\n").toLowerCase()]),
  ...graph.zones.map((zone) => [zone.id, zone.name.toLowerCase()]),
];

function search(words) {
  const wanted = words.toLowerCase().split(/\s+/).filter(Boolean);
  cy.elements(".dim, .found").removeClass("dim found");
  if (wanted.length === 0) return show(describeAll());
  const hits = haystacks.filter(([, text]) => wanted.every((word) => text.includes(word))).map(([id]) => id);
  const set = new Set(hits);
  cy.batch(() => {
    cy.edges().addClass("dim");
    cy.nodes(".text").forEach((node) => { if (!set.has(node.data("node"))) node.addClass("dim"); });
    cy.nodes("[thing]").forEach((node) => { node.addClass(set.has(node.data("thing")) ? "found" : "dim"); });
  });
  show([make("h2", {}, `${hits.length} found`), ...section("", hits.map((id) => make("li", {}, link(id), small(byId.get(id)?.kind ?? "zone"))))]);
  return hits;
}

$("search").addEventListener("input", (event) => search(event.target.value));
$("search").addEventListener("keydown", (event) => {
  if (event.key === "Enter") {
    const first = search(event.target.value)?.[0];
    if (first) choose(first);
  }
  if (event.key === "Escape") {
    event.target.value = "";
    search("");
    event.target.blur();
  }
});

// --- who reaches whom ---

const reach = graph.reach;
// A table of more cells than this is shown a row at a time.
const mostCells = 2500;

function describeEntry(from, to) {
  const entry = reach.entries[reach.table[from][to]];
  const members = (party) => party.nodes.map((id) => make("li", {}, link(id)));
  return [
    make("h2", {}, `${reach.from[from].name} → ${reach.to[to].name}`), make("p", {}, badge(entry.services, entry.extent)),
    ...section("Because", entry.why.map((text) => make("li", {}, text))),
    ...section("From", members(reach.from[from])), ...section("To", members(reach.to[to])),
  ];
}

function cell(from, to) {
  const number = reach.table[from][to];
  if (number == null) return make("td", { class: "self" }, "·");
  const entry = reach.entries[number];
  const sign = { all: "✓ all", some: entry.services, none: "✕" }[entry.extent];
  return make("td", { class: entry.extent }, make("button", { type: "button", onclick: () => show(describeEntry(from, to)) }, sign));
}

function matrix(rows) {
  const head = make("tr", {}, make("th", { scope: "col" }, "from ↓ to →"), ...reach.to.map((party) => make("th", { scope: "col" }, party.name)));
  const body = rows.map((from) => make("tr", {}, make("th", { scope: "row" }, reach.from[from].name), ...reach.to.map((_, to) => cell(from, to))));
  return make("table", {}, make("thead", {}, head), make("tbody", {}, ...body));
}

function reachView() {
  const rows = reach.from.map((_, i) => i);
  const intro = make("p", {}, "Who may open connections to whom, and to what. Whom nothing tells apart is one row. Click for the reason.");
  if (rows.length * reach.to.length <= mostCells) return $("reach").replaceChildren(intro, matrix(rows));
  const chooser = make("select", { "aria-label": "From", onchange: (event) => $("reach").lastChild.replaceWith(matrix([Number(event.target.value)])) },
    ...rows.map((i) => make("option", { value: i }, reach.from[i].name)));
  $("reach").replaceChildren(intro, make("p", {}, "From ", chooser), matrix([0]));
}

// --- views ---

function showView(name) {
  for (const view of ["picture", "reach"]) {
    $(view).hidden = view !== name;
    $(`show-${view}`).setAttribute("aria-selected", String(view === name));
  }
  if (name === "picture") cy.resize();
}
$("show-picture").addEventListener("click", () => showView("picture"));
$("show-reach").addEventListener("click", () => showView("reach"));
$("zoom-in").addEventListener("click", () => zoomBy(1.3));
$("zoom-out").addEventListener("click", () => zoomBy(1 / 1.3));
$("fit").addEventListener("click", fit);
document.addEventListener("keydown", (event) => {
  if (event.target.tagName === "INPUT" || event.ctrlKey || event.metaKey || event.altKey) return;
  const keys = { "+": () => zoomBy(1.3), "-": () => zoomBy(1 / 1.3), 0: fit, "/": () => $("search").focus() };
  if (keys[event.key]) {
    event.preventDefault();
    keys[event.key]();
  }
});

reachView();
show(describeAll());

// node check.mjs MODULES ROOT: whether an editor with a YAML language server, led by the schema, takes what topo takes, underlines what it does not, completes keys, and
// shows their descriptions. Talks to the server as an editor does (Language Server Protocol on its standard streams).
import { spawn } from "node:child_process";
import { readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";

const [modules, root] = process.argv.slice(2);
const server = spawn(process.execPath, [join(modules, "yaml-language-server/bin/yaml-language-server"), "--stdio"], { stdio: ["pipe", "pipe", "inherit"] });
const answers = new Map();
const findings = new Map();
let received = Buffer.alloc(0);
let last = 0;

function send(message) {
  const text = JSON.stringify({ jsonrpc: "2.0", ...message });
  server.stdin.write(`Content-Length: ${Buffer.byteLength(text)}\r\n\r\n${text}`);
}

function ask(method, params) {
  const id = ++last;
  send({ id, method, params });
  return new Promise((resolve) => answers.set(id, resolve));
}

function take(message) {
  if (message.method === "textDocument/publishDiagnostics") findings.get(message.params.uri)?.(message.params.diagnostics);
  else if (message.method === "workspace/configuration") send({ id: message.id, result: message.params.items.map((item) => (item.section === "yaml" ? settings.yaml : {})) });
  else if (message.id !== undefined && message.method) send({ id: message.id, result: null });
  else if (answers.has(message.id)) answers.get(message.id)(message.result);
}

server.stdout.on("data", (data) => {
  received = Buffer.concat([received, data]);
  for (;;) {
    const header = received.indexOf("\r\n\r\n");
    if (header < 0) return;
    const length = Number(/Content-Length: (\d+)/.exec(received.subarray(0, header).toString())[1]);
    if (received.length < header + 4 + length) return;
    const text = received.subarray(header + 4, header + 4 + length).toString();
    received = received.subarray(header + 4 + length);
    take(JSON.parse(text));
  }
});

// No schema store: nothing is asked of any network.
const settings = { yaml: { validate: true, completion: true, hover: true, schemaStore: { enable: false }, schemas: {} } };

/** Opens `text` as a file of that name and gives what the server says of it. */
function open(name, text) {
  const uri = pathToFileURL(join(root, "examples", name)).href;
  return new Promise((resolve) => {
    findings.set(uri, (diagnostics) => resolve({ uri, diagnostics }));
    send({ method: "textDocument/didOpen", params: { textDocument: { uri, languageId: "yaml", version: 1, text } } });
  });
}

const failures = [];
const check = (good, what) => good || failures.push(what);
const modeline = "# yaml-language-server: $schema=../schemas/topology.schema.json\n";

const limit = setTimeout(() => {
  console.error("the language server did not answer in a minute");
  server.kill();
  process.exit(1);
}, 60000);

await ask("initialize", { processId: process.pid, rootUri: pathToFileURL(root).href, capabilities: { workspace: { configuration: true }, textDocument: {} } });
send({ method: "initialized", params: {} });
send({ method: "workspace/didChangeConfiguration", params: { settings } });

const examples = readdirSync(join(root, "examples")).filter((name) => name.endsWith(".yaml"));
for (const name of examples) {
  const { diagnostics } = await open(name, readFileSync(join(root, "examples", name), "utf8"));
  check(diagnostics.length === 0, `${name}: ${JSON.stringify(diagnostics.map((one) => one.message))}`);
}
check(examples.length > 5, "there are no examples");

// What is wrong, on which line, and a word that must be said of it.
for (const [about, line, word, text] of [
  ["an unknown key", 3, "atach", "topology: lab\nnamespaces:\n  web: { atach: lan }\n"],
  ["a number out of range", 2, "65535", "topology: lab\nbridges: { lan: { subnet: 10.0.0.0/24, mtu: 70000 } }\n"],
  ["a word that it may not be", 2, "masquerade", "topology: lab\nbridges: { lan: { subnet: 10.0.0.0/24, nat: masqerade } }\n"],
  ["a port that is none", 2, "", "topology: lab\nports: { 80000x: web:80 }\n"],
  ["a flow without an arrow", 4, "", "topology: lab\npolicy:\n  allow:\n    - a b\n"],
]) {
  const { diagnostics } = await open(`broken-${about.replaceAll(" ", "-")}.yaml`, modeline + text);
  const found = diagnostics.find((one) => one.range.start.line === line && one.message.includes(word));
  check(found, `${about} is not told on line ${line + 1}: ${JSON.stringify(diagnostics.map((one) => [one.range.start.line + 1, one.message]))}`);
}

const { uri } = await open("typed.yaml", `${modeline}topology: lab\nbridges:\n  lan:\n    \n`);
const completed = await ask("textDocument/completion", { textDocument: { uri }, position: { line: 4, character: 4 } });
const labels = (completed.items ?? completed).map((item) => item.label);
for (const key of ["subnet", "nat", "isolated", "mtu"]) check(labels.includes(key), `${key} is not offered inside a bridge: ${labels}`);
const hover = await ask("textDocument/hover", { textDocument: { uri }, position: { line: 2, character: 3 } });
check(JSON.stringify(hover).includes("bridges, by name"), `no description of bridges is shown: ${JSON.stringify(hover)}`);

clearTimeout(limit);
server.kill();
if (failures.length) {
  console.error(failures.join("\n"));
  process.exit(1);
}
console.log(`${examples.length} examples are taken, 5 mistakes underlined, keys completed and described`);

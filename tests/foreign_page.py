"""Attack the API of `broadsheet up` from a page of another origin, in every way that a page can."""

import json
import shutil
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from playwright.sync_api import Browser, BrowserContext, Page

REBOUND = "attacker.example"  # a name that the attacker's DNS server resolves to this machine
MARK = "attack"  # in the name of each object that the page tries to create
NOTHING = ("", "true", '{"exception_message":"Unauthorized"}')  # allowed answers: health, and the refusal

# Each attempt returns the text that the page could read. `target` is the API's address, `ids` are ids that it may have guessed.
ATTEMPTS = """async ({target, ids, mark}) => {
  const read = [];
  const note = async (what, attempt) => {
    let text = "";
    try { text = await Promise.race([attempt(), new Promise(done => setTimeout(() => done(""), 20000))]); } catch {}
    read.push([what, String(text ?? "")]);
  };
  const run = {name: mark, tags: [mark], job_variables: {command: "touch " + mark}};
  const writes = [
    ["POST", `deployments/${ids.deployment}/create_flow_run`, run],
    ["POST", "flow_runs/", {...run, flow_id: ids.flow, work_pool_name: "broadsheet"}],
    ["POST", "flows/", {name: mark}],
    ["POST", "variables/", {name: mark, value: mark}],
    ["POST", "artifacts/", {key: mark, data: mark}],
    ["POST", "work_pools/", {name: mark, type: "process"}],
    ["POST", "events", [{id: crypto.randomUUID?.() ?? "01900000-0000-7000-8000-000000000001", event: mark,
      occurred: new Date().toISOString(), resource: {"prefect.resource.id": mark}}]],
    ["PATCH", `deployments/${ids.deployment}`, {paused: true, description: mark}],
    ["PATCH", "work_pools/broadsheet", {is_paused: true, description: mark}],
    ["DELETE", `deployments/${ids.deployment}`, null],
    ["DELETE", `flows/${ids.flow}`, null],
    ["DELETE", "work_pools/broadsheet", null],
  ];
  const reads = [
    ["POST", "deployments/filter", {}], ["POST", "flow_runs/filter", {}], ["POST", "artifacts/filter", {}],
    ["POST", "logs/filter", {}], ["POST", "events/filter", {}], ["POST", "work_pools/filter", {}],
    ["GET", `deployments/${ids.deployment}`, null], ["GET", "admin/settings", null], ["GET", "csrf-token?client=x", null],
    ["GET", "health", null], ["GET", "openapi.json", null],
  ];
  const all = [...reads, ...writes].map(([method, path, body]) => [method, `${target}/${path}`, body && JSON.stringify(body)]);
  const open = [];
  for (const [method, url, body] of all) {
    for (const credentials of ["omit", "include"])
      for (const [mode, type] of [["cors", "application/json"], ["cors", "text/plain"], ["no-cors", "text/plain"], ["no-cors", ""]])
        open.push(note(`fetch ${method} ${url} ${credentials} ${mode} ${type}`, async () => {
          const sent = body === null ? undefined : type ? body : new Blob([body]);
          const headers = body !== null && type ? {"content-type": type} : {};
          return (await fetch(url, {method, mode, credentials, headers, body: sent})).text();
        }));
    if (method === "POST") {
      navigator.sendBeacon(url, new Blob([body], {type: "text/plain"}));
      navigator.sendBeacon(url, new Blob([body]));
    }
    open.push(note(`form ${method} ${url}`, () => new Promise(done => {
      const frame = document.createElement("iframe");
      frame.name = crypto.getRandomValues(new Uint32Array(1))[0];
      document.body.append(frame);
      const form = document.createElement("form");
      Object.assign(form, {method: method === "GET" ? "GET" : "POST", action: url, target: frame.name, enctype: "text/plain"});
      const field = document.createElement("input");  // {"a": "=x"} becomes JSON once = is inside a string
      Object.assign(field, {name: (body ?? "{}").replace(/}(]?)$/, ',"x":"'), value: body?.endsWith("]") ? '"}]' : '"}'});
      form.append(field);
      document.body.append(form);
      frame.onload = () => { try { const text = frame.contentDocument.body.innerText; if (text) done(text); }
                             catch { done(""); } };
      form.submit();
    })));
  }
  for (const path of ["admin/settings", `deployments/${ids.deployment}`, "events/count-by/day"]) {
    const url = `${target}/${path}`;
    for (const kind of ["img", "script", "iframe"])
      open.push(note(`${kind} ${url}`, () => new Promise(done => {
        const tag = document.createElement(kind);
        tag.onerror = () => done("");
        tag.onload = () => { try { done(kind === "iframe" ? tag.contentDocument.body.innerText : kind + " loaded"); }
                             catch { done(""); } };
        tag.src = url;
        document.body.append(tag);
      })));
    open.push(note(`EventSource ${url}`, () => new Promise(done => {
      const source = new EventSource(url, {withCredentials: true});
      source.onmessage = message => done(message.data);
      source.onerror = () => { source.close(); done(""); };
    })));
  }
  const event = {id: "01900000-0000-7000-8000-000000000002", event: mark, occurred: new Date().toISOString(),
    resource: {"prefect.resource.id": mark}};
  const hello = {type: "auth"}, everything = {type: "filter", filter: {}};
  const sockets = {
    "events/in": [event],
    "events/out": [everything],
    "logs/out": [everything],
    "task_runs/subscriptions/scheduled": [{type: "subscribe", keys: [mark], client_id: mark}],
    "work_pools/broadsheet/workers/connect": [{type: "hello"}],
  };
  for (const [path, messages] of Object.entries(sockets))
    for (const [protocols, first] of [[[], []], [["prefect"], []], [["prefect"], [hello]], [["prefect"], [{...hello, token: "admin:pass"}]]])
      open.push(note(`WebSocket ${path} ${protocols} ${JSON.stringify(first)}`, () => new Promise(done => {
        const socket = new WebSocket(`${target.replace("http", "ws")}/${path}`, protocols);
        let heard = "";
        socket.onopen = () => [...first, ...messages].forEach(message => socket.send(JSON.stringify(message)));
        socket.onmessage = message => { heard += message.data; };
        socket.onclose = () => done(heard);
        setTimeout(() => { socket.close(); done(heard); }, 2000);
      })));
  await Promise.all(open);
  return read;
}"""


class _Empty(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("content-type", "text/html")
        self.end_headers()
        self.wfile.write(b"<title>Another site</title><body></body>")

    def log_message(self, *_: object) -> None:
        """Print nothing."""


@contextmanager
def foreign_site() -> Iterator[int]:
    """Serve another site on loopback until the end of the block; yield its port."""
    with ThreadingHTTPServer(("127.0.0.1", 0), _Empty) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server.server_port
        server.shutdown()


@contextmanager
def rebound_browser(browser: Browser) -> Iterator[BrowserContext]:
    """Yield a browser that resolves the attacker's name to this machine."""
    arguments = ["--no-sandbox", f"--host-resolver-rules=MAP {REBOUND} 127.0.0.1"]
    launched = browser.browser_type.launch(executable_path=shutil.which("chromium"), args=arguments)
    try:
        yield launched.new_context()
    finally:
        launched.close()


def attack(page: Page, target: str, ids: dict[str, str]) -> dict[str, Any]:
    """Return the attempts that read something, with the text."""
    read = page.evaluate(ATTEMPTS, {"target": target, "ids": ids, "mark": MARK})
    assert len(read) > 200  # the attempts were made
    return {what: text for what, text in read if not _is_nothing(text)}


def _is_nothing(text: str) -> bool:
    return text.strip() in NOTHING or json.dumps(text) in NOTHING

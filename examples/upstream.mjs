// What stands behind the gate in the examples: answers every call with an order that conforms to their documents.
// Usage: node upstream.mjs PORT...
import { createServer } from "node:http";

const order = { id: 1, item: "AB-1234", count: 2 };

function answer(request, response) {
  const path = new URL(request.url, "http://localhost").pathname;
  if (path.endsWith("/feed")) {
    response.writeHead(200, { "content-type": "text/event-stream" });
    const timer = setInterval(() => response.write(`data: ${JSON.stringify(order)}\n\n`), 1000);
    response.on("close", () => clearInterval(timer));
    return;
  }
  if (path.endsWith("/login")) {
    request.resume();
    response.writeHead(401).end();
    return;
  }
  request.resume().on("end", () => {
    const status = request.method === "POST" && path.endsWith("/orders") ? 201 : 200;
    const body = request.method === "GET" && path.endsWith("/orders") ? [order] : order;
    response.writeHead(status, { "content-type": "application/json" });
    response.end(JSON.stringify(body));
  });
}

for (const port of process.argv.slice(2)) {
  createServer(answer).listen(Number(port), "127.0.0.1", () => console.log(`http://127.0.0.1:${port}`));
}

// The loopback listener that the browser comes back to.
import http from "node:http";

/** Listen on a free port; `answer()` resolves to the URLSearchParams of the next redirect. */
export async function listen() {
  const waiting = [];
  const arrived = [];
  const server = http.createServer((request, response) => {
    const url = new URL(request.url, "http://localhost");
    response.writeHead(200, { "Content-Type": "text/html", Connection: "close" }).end("back at the client");
    if (url.pathname !== "/callback") return;
    const next = waiting.shift();
    if (next) next(url.searchParams);
    else arrived.push(url.searchParams);
  });
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    url: `http://localhost:${server.address().port}/callback`,
    answer: () =>
      new Promise((resolve) => (arrived.length ? resolve(arrived.shift()) : waiting.push(resolve))),
    close: () => server.close(),
  };
}

// Sending a form with its progress, reported line by line; a broken connection is tried again, and the same key keeps it one case.
const WAITS_MS = [1000, 3000, 8000, 15000];
const wait = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

export class Refused extends Error {
  constructor(problem) {
    super(problem.detail);
    this.problem = problem;
  }
}

// Resolves once the server has sent everything. Throws Refused, or an Error where there is no connection.
export async function send(form, token, key, { uploaded, line, retrying }) {
  for (let attempt = 0; ; attempt++) {
    try {
      return await once(form, token, key, uploaded, line);
    } catch (error) {
      if (error instanceof Refused || attempt >= WAITS_MS.length || !navigator.onLine) throw error;
      retrying();
      await wait(WAITS_MS[attempt]);
    }
  }
}

function once(form, token, key, uploaded, line) {
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest();
    let read = 0, finished = false;
    const lines = () => {
      for (let end; (end = request.responseText.indexOf("\n", read)) >= 0; read = end + 1) {
        const message = JSON.parse(request.responseText.slice(read, end));
        if (message.problem) return reject(new Refused(message.problem));
        finished ||= Boolean(message.html);
        line(message);
      }
    };
    const isTold = () => request.status === 200 && request.getResponseHeader("content-type")?.includes("ndjson");
    request.open("POST", "/new");
    request.setRequestHeader("Accept", "application/x-ndjson");
    request.setRequestHeader("Idempotency-Key", key);
    request.upload.onprogress = (event) => uploaded(event.loaded, event.total);
    request.upload.onload = () => uploaded(1, 1);
    request.onprogress = () => { if (isTold()) lines(); };
    request.onerror = () => reject(new Error("no connection"));
    request.onload = () => {
      if (isTold()) lines();
      if (finished) return resolve();
      let problem = { slug: "internal-error", detail: "" };
      try { problem = JSON.parse(request.responseText); } catch { /* an edge or a proxy answered */ }
      if ([502, 504].includes(request.status) || request.status === 200) return reject(new Error("no connection"));
      reject(new Refused(problem));
    };
    form.set("csrf", token);
    request.send(form);
  });
}

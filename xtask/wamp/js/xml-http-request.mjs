// The long-poll transport of autobahn-js is made for browsers: it needs an XMLHttpRequest. This is as much of
// one as it uses, on top of fetch.

class Request {
  #method;
  #url;
  #headers = {};

  open(method, url) {
    this.#method = method;
    this.#url = url;
  }

  setRequestHeader(name, value) {
    this.#headers[name] = value;
  }

  send(body) {
    const signal = this.timeout > 0 ? AbortSignal.timeout(this.timeout) : undefined;
    fetch(this.#url, { method: this.#method, headers: this.#headers, body: body ?? undefined, signal }).then(
      async (answer) => {
        this.responseText = await answer.text();
        this.#done(answer.status, answer.statusText);
      },
      (problem) => (problem.name === 'TimeoutError' ? this.ontimeout?.() : this.#done(0, String(problem))),
    );
  }

  #done(status, statusText) {
    Object.assign(this, { status, statusText, readyState: 4 });
    this.onreadystatechange?.();
  }
}

globalThis.XMLHttpRequest ??= Request;

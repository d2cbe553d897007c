// Sends a file and reports how much of it has been sent, which `fetch` cannot.

/** Like `fetch`; `progress` is called with the share of the body that has been sent, up to 1. */
export type Transfer = (
  address: string,
  options: RequestInit,
  progress: (share: number) => void,
) => Promise<Response>;

export const sendFile: Transfer = (address, { method, headers, body, signal }, progress) =>
  new Promise((done, failed) => {
    const request = new XMLHttpRequest();
    request.open(method ?? "POST", address);
    for (const [name, value] of new Headers(headers)) request.setRequestHeader(name, value);
    request.upload.onprogress = ({ lengthComputable, loaded, total }) => {
      if (lengthComputable) progress(loaded / total);
    };
    request.onload = () => {
      const type = request.getResponseHeader("Content-Type") ?? "";
      const { status } = request;
      const text = status === 204 ? null : request.responseText;
      done(new Response(text, { status, headers: { "Content-Type": type } }));
    };
    request.onerror = () => failed(new TypeError("The connection was lost."));
    request.onabort = () => failed(new DOMException("Stopped.", "AbortError"));
    if (signal?.aborted) {
      request.onabort(new ProgressEvent("abort"));
      return;
    }
    signal?.addEventListener("abort", () => request.abort(), { once: true });
    request.send(body as Blob);
  });

import type { HttpEvent, HttpPort } from "../ports/http.js";

export type UploadStatus = "Idle" | "Uploading" | "Uploaded" | "UploadFailure";

/** Puts a log at an address that the platform has named, over HTTPS; one at a time. */
export class Upload {
  status: UploadStatus = "Idle";
  requestId = 0;
  /** The platform asked by GetDiagnostics, and is told in the words of that. */
  isDiagnostics = false;
  private id: number | undefined;
  private code = 0;

  constructor(
    private readonly http: HttpPort,
    private readonly credentials: string,
  ) {}

  static isPossible(location: string): boolean {
    return location.startsWith("https://");
  }

  get isRunning(): boolean {
    return this.id !== undefined;
  }

  start(id: number, location: string, fileName: string, body: string): void {
    if (this.id !== undefined) this.http.abort(this.id);
    this.id = id;
    this.code = 0;
    this.status = "Uploading";
    this.http.request({
      id,
      method: "PUT",
      url: location.endsWith("/") ? location + fileName : location,
      headers: [["content-type", "text/plain; charset=utf-8"]],
      body,
      credentials: this.credentials,
      timeoutMs: 60_000,
      maxBodyBytes: 4096,
    });
  }

  /** True where the upload has just come to an end. */
  on(event: HttpEvent): boolean {
    if (event.id !== this.id) return false;
    if (event.ev === "head") this.code = event.status;
    if (event.ev !== "end" && event.ev !== "failed") return false;
    this.id = undefined;
    const done = event.ev === "end" && this.code >= 200 && this.code < 300;
    this.status = done ? "Uploaded" : "UploadFailure";
    return true;
  }
}

// Runs in XS, after the driver: `argument` says what to do. Phases one after the other; in a phase all at once.
/* global Tls, argument, print, now, sleep, collect, memoryHeld, memoryMost, skip */
const { credentials, phases } = JSON.parse(argument());
const ascii = (text) => Uint8Array.from(text, (c) => c.charCodeAt(0));
let utcMs;
const before = memoryHeld();
const tls = new Tls({ utcMs: () => utcMs, timeoutMs: 10000 });
for (const name of Object.keys(credentials)) {
  const refused = tls.setCredentials(name, credentials[name]);
  if (refused !== undefined) print(JSON.stringify({ credentials: name, refused }));
}
for (const phase of phases) {
  const live = new Map();
  memoryMost();
  for (const wish of phase) {
    utcMs = wish.utcMs;
    if (wish.skipMs !== undefined) skip(wish.skipMs);
    if (wish.setCredentials !== undefined) tls.setCredentials(wish.credentials ?? "c", wish.setCredentials);
    tls.timeoutMs = wish.timeoutMs ?? 10000;
    live.set(wish.id, {
      wish,
      startMs: now(),
      result: { id: wish.id, data: "", bytes: 0 },
      leaveMs: Infinity,
    });
    tls.open({ secure: true, host: "localhost", credentials: "c", ...wish });
  }
  const done = (each, end) => {
    live.delete(each.wish.id);
    const ms = now() - each.startMs;
    print(
      JSON.stringify({ ...each.result, ...end, ms, openMemory: each.openMemory, mostMemory: memoryMost() }),
    );
  };
  while (live.size > 0) {
    for (let e = tls.poll(); e !== undefined; e = tls.poll()) {
      const each = live.get(e.id);
      if (each === undefined) throw new Error("an event of nobody: " + JSON.stringify(e));
      const { wish, result } = each;
      if (e.ev === "open") {
        result.open = e.text;
        each.openMemory = memoryHeld() - before;
        if (wish.send !== undefined) tls.write(e.id, ascii(wish.send));
        for (let i = 0; i < (wish.sendMany ?? 0); i++)
          tls.write(e.id, new Uint8Array(1000).fill(97 + (i % 26)));
        if (wish.leaveAfterMs !== undefined) each.leaveMs = now() + wish.leaveAfterMs;
      } else if (e.ev === "data") {
        result.bytes += e.bytes.length;
        if (result.data.length < 400) result.data += String.fromCharCode(...e.bytes.subarray(0, 400));
        if (wish.until !== undefined && result.data.includes(wish.until)) each.leaveMs = 0;
      } else done(each, { end: e.ev, reason: e.reason, text: e.text });
    }
    for (const each of [...live.values()]) {
      if (now() < each.leaveMs) continue;
      tls.close(each.wish.id);
      done(each, { end: "left" });
    }
    sleep(1);
  }
  for (let i = 0; i < 400 && tls.busy > 0; i++) sleep(5);
  collect();
}
const after = memoryHeld() - before;
tls.end();
print(JSON.stringify({ finished: true, after, atEnd: memoryHeld() - before }));

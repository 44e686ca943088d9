/** The platform in virtual time keeps what the network keeps: the order of what was said and the close. */
import { beforeEach, describe, expect, it } from "vitest";
import { VirtualCsms } from "../../host-sim/csms/virtual.js";
import { expectClean, ocppBench, online } from "../support/ocpp-bench.js";

describe("the virtual platform and a connection that ends", () => {
  let csms: VirtualCsms;
  let answers: unknown[];
  const request = (id: number) => ({ id, upstream: "platform", url: "wss://csms.example/CP1" }) as never;

  beforeEach(() => {
    csms = new VirtualCsms(() => 0);
    answers = [];
    csms.carryOut({ do: "open", request: request(1) }, 0);
    csms.take(100);
    csms.ask({ action: "ChangeConfiguration", payload: { key: "AuthorizationKey", value: "x" } }, (answer) =>
      answers.push(answer),
    );
    csms.take(200);
    csms.carryOut({ do: "send", id: 1, text: '[3,"p1",{"status":"Accepted"}]' }, 200);
  });

  it("hears the answer that went out before a close in good order, and takes the next connection", () => {
    csms.carryOut({ do: "close", id: 1, code: 1000, reason: "" }, 200);
    csms.carryOut({ do: "open", request: request(2) }, 205);
    expect(csms.take(300)).toMatchObject([{ id: 2, ev: "open" }]);
    expect(answers).toEqual([{ status: "Accepted" }]);
    expect(csms.faults).toEqual([]);
  });

  it("loses it where the network ends the connection first", () => {
    csms.cut();
    csms.take(300);
    expect(answers).toEqual([]);
  });
});

describe("a new AuthorizationKey", () => {
  it("is accepted in the platform's sight, though the module drops the connection with its answer", async () => {
    const bench = ocppBench({});
    await online(bench);
    const answers: unknown[] = [];
    const payload = { key: "AuthorizationKey", value: "0123456789abcdef0123" };
    bench.csms.ask({ action: "ChangeConfiguration", payload }, (answer) => answers.push(answer));
    await bench.run(60_000);
    expect(answers).toEqual([{ status: "Accepted" }]);
    expect(bench.csms.isConnected).toBe(true);
    expect(bench.csms.closes.length).toBe(1);
    expectClean(bench);
  });
});

import { Admin, AuthenticationError, ResponseError } from "@platformatic/kafka";
import { setTimeout as sleep } from "node:timers/promises";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { KafkaAdmin, KafkaLoginError } from "../../../operator/kafka/admin";

const saslAuthenticate = 36;
const saslAuthenticationFailed = 58;

/** As the client reports what a broker said to a login. */
function refusedLogin(reason: string): Error {
  const cause = new ResponseError(saslAuthenticate, 2, { "/": [saslAuthenticationFailed, reason] }, {});
  return new AuthenticationError("SASL authentication failed.", { cause });
}

vi.mock("node:timers/promises", () => ({ setTimeout: vi.fn() }));

describe("A login that MSK refuses", () => {
  let admin: KafkaAdmin;

  beforeEach(() => {
    vi.mocked(sleep).mockClear();
    admin = new KafkaAdmin({ bootstrapServers: "127.0.0.1:9", login: { kind: "none" } });
  });

  afterEach(async () => {
    vi.restoreAllMocks();
    await admin.close();
  });

  const refuseLogins = (reason: string, times: number) => {
    const metadata = vi.spyOn(Admin.prototype, "metadata");
    for (let time = 0; time < times; time += 1) metadata.mockRejectedValueOnce(refusedLogin(reason));
    return metadata.mockResolvedValue({} as never);
  };

  const pauses = () => vi.mocked(sleep).mock.calls.map(([milliseconds]) => milliseconds);

  it("because too many log in at once is tried again after seconds", async () => {
    const metadata = refuseLogins("[f8e1]: Too many connects", 2);
    await admin.logIn();
    expect(metadata).toHaveBeenCalledTimes(3);
    expect(pauses()).toEqual([1_000, 2_000]);
  });

  it("again and again is told in the end, in the broker's words", async () => {
    refuseLogins("[f8e1]: Too many connects", 9);
    await expect(admin.logIn()).rejects.toThrow("Kafka at 127.0.0.1:9 refuses the login ([f8e1]: Too many connects).");
    expect(pauses()).toEqual([1_000, 2_000, 4_000]);
  });

  it("for another reason is told at once", async () => {
    const metadata = refuseLogins("[f8e1]: Access denied", 1);
    await expect(admin.logIn()).rejects.toThrow(KafkaLoginError);
    expect(metadata).toHaveBeenCalledTimes(1);
  });
});

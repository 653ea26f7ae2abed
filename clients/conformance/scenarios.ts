import type { Batch, Request, Step } from "./protocol";

/** Something that can go wrong with names. */
export interface Scenario {
  readonly name: string;
  /** Asked one after the other; the last shows what those before it left. */
  readonly batches: readonly Batch[];
  /** Only reads: no transaction id may be taken and no WAL written. */
  readonly onlyReads?: true;
  /** Asked while another transaction holds the table's lock and changes what `seen` shows. */
  readonly behindLock?: true;
}

const request = (actor: string | null, steps: readonly Step[], more: Partial<Request> = {}): Request => ({
  actor,
  ...more,
  steps,
});
const one = (...requests: Request[]): Batch => ({ pool: 1, fresh: true, requests });
const inserts = (prefix: string, count: number): Step[] =>
  Array.from({ length: count }, (_, place) => ({ insert: `${prefix}-${place + 1}` }));

const plain: readonly Scenario[] = [
  {
    name: "bare writes",
    batches: [
      one(
        request("alice", [{ insert: "bare-1" }, { update: "bare-1" }, { insert: "bare-2" }, { delete: "bare-2" }]),
        request("bob", [{ insert: "bare-3" }, { update: "bare-3" }], {
          request_id: "r-1",
          context: { reason: "refund", of: [1, "ü"] },
        }),
      ),
    ],
  },
  {
    name: "bare statement of its own text",
    batches: [
      one(
        request("alice", [
          { sql: "INSERT INTO items (id) VALUES ('sql-1')", writes: "sql-1" },
          { sql: "WITH new AS (SELECT 'sql-2' AS id) INSERT INTO items (id) SELECT id FROM new", writes: "sql-2" },
          { sql: "/* a note */ insert into items (id) values ('sql-3')", writes: "sql-3" },
        ]),
      ),
    ],
  },
  {
    name: "transaction",
    batches: [
      one(
        request(
          "alice",
          [{ transaction: [{ insert: "tx-1" }, { read: true }, { update: "tx-1" }, { insert: "tx-2" }] }],
          {
            request_id: "r-2",
            context: { reason: 'it\'s "quoted" \\ and 100%' },
          },
        ),
        request("bob", [{ transaction: [{ read: true }, { delete: "tx-2" }] }]),
      ),
    ],
  },
  {
    name: "transaction without a statement",
    batches: [one(request("alice", [{ transaction: [] }, { insert: "empty-1" }]))],
  },
  {
    name: "nested savepoint",
    batches: [
      one(
        request("alice", [
          {
            transaction: [
              { savepoint: [{ insert: "nest-1" }, { savepoint: [{ insert: "nest-2" }] }] },
              { insert: "nest-3" },
            ],
          },
        ]),
      ),
    ],
  },
  {
    name: "savepoint first, rolled back",
    batches: [
      one(
        request("alice", [
          { transaction: [{ savepoint: [{ insert: "back-1" }], rollback: true }, { insert: "back-2" }] },
          {
            transaction: [
              { insert: "back-3" },
              { savepoint: [{ insert: "back-4" }], rollback: true },
              { insert: "back-5" },
            ],
          },
          { transaction: [{ savepoint: [{ insert: "back-6" }, { fail: true }] }, { insert: "back-7" }] },
        ]),
      ),
    ],
  },
  {
    name: "error in the middle",
    batches: [
      one(
        request("alice", [
          { transaction: [{ insert: "error-1" }, { fail: true }, { insert: "error-2" }] },
          { insert: "error-3" },
          { fail: true },
          { transaction: [{ insert: "error-4" }] },
        ]),
        request(null, [{ insert: "error-5" }]),
      ),
    ],
  },
  {
    name: "rolled back",
    batches: [
      one(
        request("alice", [{ transaction: [{ insert: "undone-1" }], rollback: true }, { insert: "undone-2" }]),
        request(null, [{ insert: "undone-3" }]),
      ),
    ],
  },
];

const handedOn: readonly Scenario[] = [
  {
    name: "connection handed on",
    batches: [
      one(
        request("alice", [{ transaction: [{ insert: "hand-1" }] }], { request_id: "r-3", context: { reason: "x" } }),
        request(null, [{ insert: "hand-2" }]),
        request("bob", [{ insert: "hand-3" }]),
        request(null, [{ transaction: [{ insert: "hand-4" }] }]),
      ),
      { pool: 1, requests: [request(null, [{ insert: "hand-5" }]), request("carol", [{ insert: "hand-6" }])] },
    ],
  },
  {
    name: "transaction that waits while others write",
    batches: [
      {
        pool: 2,
        fresh: true,
        concurrent: true,
        requests: [
          request("alice", [{ transaction: [{ insert: "open-1" }, { wait: 60 }, { insert: "open-2" }] }]),
          ...["bob", "carol", "dave"].map((actor) =>
            request(actor, [{ insert: `open-${actor}` }, { wait: 5 }, { update: `open-${actor}` }]),
          ),
        ],
      },
    ],
  },
  {
    name: "context lost",
    batches: [
      one(
        request("alice", [{ insert: "lost-0" }]),
        request("bob", [{ lost: [{ insert: "lost-1" }] }, { insert: "lost-2" }]),
      ),
      {
        pool: 1,
        concurrent: true,
        requests: ["alice", "bob", "carol"].map((actor) =>
          request(actor, [
            { insert: `lost-${actor}-1` },
            { lost: [{ insert: `lost-${actor}-2` }] },
            { insert: `lost-${actor}-3` },
          ]),
        ),
      },
    ],
  },
  {
    name: "background job",
    batches: [
      one(
        request("alice", [{ job: [{ insert: "job-1" }, { transaction: [{ insert: "job-2" }] }] }], {
          request_id: "r-4",
        }),
      ),
      {
        pool: 2,
        concurrent: true,
        requests: [
          ...["alice", "bob"].map((actor) =>
            request(actor, [{ job: [{ insert: `job-${actor}` }] }], { context: { by: actor } }),
          ),
          request(null, [{ job: [{ insert: "job-nobody" }] }]),
        ],
      },
    ],
  },
  {
    name: "one request for another",
    batches: [
      one(request("admin", [{ as: "alice", steps: [{ insert: "as-1" }] }, { insert: "as-2" }], { request_id: "r-5" })),
    ],
  },
  {
    name: "two actors in one transaction",
    batches: [
      one(
        request("alice", [
          { transaction: [{ insert: "two-1" }, { as: "bob", steps: [{ insert: "two-2" }] }, { insert: "two-3" }] },
        ]),
      ),
    ],
  },
  {
    name: "nobody in a transaction of somebody",
    batches: [
      one(
        request("alice", [
          { transaction: [{ insert: "no-1" }, { as: null, steps: [{ insert: "no-2" }] }, { insert: "no-3" }] },
          { transaction: [{ as: null, steps: [{ insert: "no-4" }] }, { insert: "no-5" }] },
        ]),
      ),
    ],
  },
];

const modes: readonly Scenario[] = [
  {
    name: "reads alone",
    onlyReads: true,
    batches: [one(request("alice", [{ read: true }, { transaction: [{ read: true }, { read: true }] }]))],
  },
  {
    name: "read-only transaction",
    onlyReads: true,
    batches: [one(request("alice", [{ transaction: [{ read: true }], readOnly: true }]))],
  },
  {
    name: "write behind a read-only transaction",
    batches: [one(request("alice", [{ transaction: [{ read: true }], readOnly: true }, { insert: "after-1" }]))],
  },
  ...(["read committed", "repeatable read", "serializable"] as const).map((isolation): Scenario => ({
    name: `isolation ${isolation}`,
    batches: [
      one(
        request("alice", [{ transaction: [{ insert: `${isolation}-1` }, { insert: `${isolation}-2` }], isolation }]),
        request("bob", [{ insert: `${isolation}-3` }]),
      ),
    ],
  })),
  {
    name: "isolation and read only",
    onlyReads: true,
    batches: [one(request("alice", [{ transaction: [{ read: true }], readOnly: true, isolation: "serializable" }]))],
  },
  {
    name: "lock before the first read",
    behindLock: true,
    batches: [
      one(request("alice", [{ transaction: [{ lock: true }, { insert: "locked-1" }], isolation: "repeatable read" }])),
    ],
  },
];

const cold = (pool: number): Scenario => ({
  name: `interleaved requests on a cold and a busy pool of ${pool}`,
  batches: [true, false].map((fresh) => ({
    pool,
    fresh,
    concurrent: true,
    requests: Array.from({ length: 12 }, (_, place): Request => {
      const prefix = `pool-${pool}-${fresh}-${place}`;
      const steps: Step[] = place % 3 === 2 ? [{ transaction: inserts(prefix, 2) }] : inserts(prefix, 2);
      return request(place % 4 === 3 ? null : `user-${place}`, steps, { request_id: `r-${prefix}` });
    }),
  })),
});

/** All of them. Each names rows of its own. */
export const scenarios: readonly Scenario[] = [...plain, ...handedOn, ...modes, cold(1), cold(4)];

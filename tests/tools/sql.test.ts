import { describe, expect, it } from "vitest";
import { errorText, indentedJson, resultText } from "../../tools/sql/print";

const text = 25;
const numeric = 1700;
const jsonb = 3802;

const result = (
  fields: readonly (readonly [name: string, type: number])[],
  rows: readonly (readonly (string | null)[])[],
) => ({
  tag: `SELECT ${rows.length}`,
  fields: fields.map(([name, dataTypeID]) => ({ name, dataTypeID })),
  rows,
});

describe("npm run sql", () => {
  // What psql 16 prints of the same results.
  it("prints rows as psql does: aligned, numbers to the right, no quotes, every digit", () => {
    const rows = result(
      [
        ["id", numeric],
        ["name", text],
        ["total", numeric],
        ["note", text],
      ],
      [
        ["1", "tea", "51.90", null],
        ["20", "pot, blue", "1234567890123456789.00", "x"],
      ],
    );
    expect(resultText(rows)).toBe(
      [
        " id |   name    |         total          | note ",
        "----+-----------+------------------------+------",
        "  1 | tea       |                  51.90 | ",
        " 20 | pot, blue | 1234567890123456789.00 | x",
        "(2 rows)",
        "",
      ].join("\n"),
    );
  });

  it("prints values of several lines, and characters of two columns, aligned", () => {
    const rows = result(
      [
        ["a", text],
        ["b", text],
      ],
      [
        ["one\ntwo", "日本"],
        ["三", "x\ny"],
      ],
    );
    expect(resultText(rows)).toBe(
      ["  a  |  b   ", "-----+------", " one+| 日本", " two | ", " 三  | x   +", "     | y", "(2 rows)", ""].join("\n"),
    );
  });

  it("says how many rows there are", () => {
    expect(resultText(result([["n", numeric]], [["1"]]))).toBe(" n \n---\n 1\n(1 row)\n");
    expect(resultText(result([["n", numeric]], []))).toBe(" n \n---\n(0 rows)\n");
  });

  it("prints the server's tag of what returns no rows, and after rows that a change returns", () => {
    expect(resultText({ tag: "CREATE TABLE", fields: [], rows: [] })).toBe("CREATE TABLE");
    expect(resultText({ ...result([["n", numeric]], [["1"]]), tag: "INSERT 0 1" })).toBe(
      " n \n---\n 1\n(1 row)\n\nINSERT 0 1",
    );
  });

  it("lets no value steer the terminal", () => {
    expect(resultText(result([["a", text]], [["\u001b[2Jx\ty"]]))).toBe(
      `${" ".repeat(9)}a${" ".repeat(9)}\n${"-".repeat(19)}\n \\x1B[2Jx        y\n(1 row)\n`,
    );
  });

  it("prints what is too wide for the terminal a column a line, JSON over several lines", () => {
    const rows = result(
      [
        ["id", numeric],
        ["after", jsonb],
      ],
      [["1", '{"id": 1, "price": 51.90, "tags": [], "name": "a \\"b\\", {c}", "lines": [1, {"n": 2.50}]}']],
    );
    expect(resultText(rows, 60)).toBe(
      [
        `-[ RECORD 1 ]${"-".repeat(20)}`,
        "id    | 1",
        "after | {",
        '      |   "id": 1,',
        '      |   "price": 51.90,',
        '      |   "tags": [],',
        '      |   "name": "a \\"b\\", {c}",',
        '      |   "lines": [',
        "      |     1,",
        "      |     {",
        '      |       "n": 2.50',
        "      |     }",
        "      |   ]",
        "      | }",
        "",
      ].join("\n"),
    );
    expect(resultText(rows, 200)).toContain(" id | ");
  });

  it("keeps each token of JSON as it is", () => {
    expect(indentedJson('{"a": 1e400, "b": -0.0, "c": {}, "d": null}')).toBe(
      '{\n  "a": 1e400,\n  "b": -0.0,\n  "c": {},\n  "d": null\n}',
    );
  });

  it("prints errors as psql does, with the place and the hint", () => {
    const error = {
      severity: "ERROR",
      message: 'relation "nowhere" does not exist',
      position: "23",
      hint: "Create it.",
    };
    expect(errorText(error, "SELECT 1;\nSELECT * FROM nowhere")).toBe(
      [
        'ERROR:  relation "nowhere" does not exist',
        "LINE 2: SELECT * FROM nowhere",
        `${" ".repeat(20)}^`,
        "HINT:  Create it.",
      ].join("\n"),
    );
  });
});

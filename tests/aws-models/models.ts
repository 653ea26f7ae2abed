/** A shape of an AWS service model; members, list members, map keys and values name other shapes. */
export interface Shape {
  readonly type: string;
  readonly members?: Readonly<Record<string, string>>;
  readonly required?: readonly string[];
  readonly member?: string;
  readonly key?: string;
  readonly value?: string;
  readonly enum?: readonly string[];
  readonly pattern?: string;
  /** Fewest characters or elements, or the smallest number. */
  readonly min?: number;
  /** Most characters or elements, or the largest number. */
  readonly max?: number;
}

export interface ServiceModel {
  readonly apiVersion: string;
  /** Name of the input shape by operation. */
  readonly operations: Readonly<Record<string, string>>;
  readonly shapes: Readonly<Record<string, Shape>>;
}

/** What `models.json` holds; `extract.ts` writes it. */
export interface Models {
  readonly source: { readonly package: string; readonly version: string; readonly licence: string };
  readonly services: Readonly<Record<string, ServiceModel>>;
}

import { useEffect, useRef, useState } from "preact/hooks";
import { type Act, type Failure, type Filter, type Health, routes } from "../../api";
import { questionTo } from "./client";

export interface Live {
  readonly state: "off" | "connecting" | "on" | "trouble";
  readonly trouble: Failure | undefined;
}

interface LiveOptions {
  readonly onAct: (act: Act) => void;
  readonly onHealth: (health: Health) => void;
}

/** Acts as they arrive, and the log's health, while the filter is not undefined. The browser connects again by itself. */
export function useLive(filter: Filter | undefined, options: LiveOptions): Live {
  const [live, setLive] = useState<Live>({ state: "off", trouble: undefined });
  const latest = useRef(options);
  latest.current = options;
  const address = filter && questionTo(routes.tail, { filter: JSON.stringify(filter) });
  useEffect(() => {
    if (address === undefined) return setLive({ state: "off", trouble: undefined });
    setLive({ state: "connecting", trouble: undefined });
    const source = new EventSource(address);
    source.onopen = () => setLive({ state: "on", trouble: undefined });
    source.onerror = () => setLive((before) => ({ ...before, state: "connecting" }));
    const listen = <Body>(name: string, take: (body: Body) => void) =>
      source.addEventListener(name, (event) => take(JSON.parse((event as MessageEvent<string>).data) as Body));
    listen<Act>("act", (act) => latest.current.onAct(act));
    listen<Health>("health", (health) => latest.current.onHealth(health));
    listen<Failure>("trouble", (trouble) => setLive({ state: "trouble", trouble }));
    return () => source.close();
  }, [address]);
  return live;
}

import { Command } from "commander";
import prices from "../docs/prices.json";
import { environments } from "../config/schema";
import type { Registration } from "../recorder/engine";
import { type Graph, compare, input, shortType, textInput } from "../recorder/graph";
import { recorded } from "./recorded";
import { table } from "./settings-reference";

/** What one resource costs a month whether it is used or not. */
export interface CostLine {
  /** The component that makes it. */
  readonly component: string;
  readonly resource: string;
  readonly what: string;
  /** USD. */
  readonly monthly: number;
}

type Charge = readonly [what: string, monthly: number];
type HourlyPrice = keyof typeof prices.perHour;

function hourly(item: string, count = 1): number {
  const price = (prices.perHour as Readonly<Record<string, number | undefined>>)[item];
  if (price === undefined) throw new Error(`docs/prices.json has no price per hour of ${item}: add it there.`);
  return count * price * prices.hoursPerMonth;
}

/** What is charged by the hour or the month, by type of resource. */
const charges: Readonly<Record<string, (resource: Registration, graph: Graph) => readonly Charge[]>> = {
  "awsx:ec2:Vpc": (vpc) => {
    const zones = (input(vpc, "availabilityZoneNames") as readonly string[]).length;
    const gateways = { None: 0, Single: 1, OnePerAz: zones }[textInput(vpc, "natGateways.strategy")] ?? 0;
    const price = hourly("natGateway", gateways) + hourly("publicIpv4Address", gateways);
    return gateways === 0 ? [] : [[`${gateways} × NAT gateway with its address`, price]];
  },
  "aws:ec2/vpcEndpoint:VpcEndpoint": (endpoint) => {
    if (textInput(endpoint, "vpcEndpointType") !== "Interface") return [];
    const zones = (input(endpoint, "subnetIds") as readonly string[]).length;
    return [[`interface endpoint in ${zones} zones`, hourly("interfaceEndpointInZone", zones)]];
  },
  "aws:rds/cluster:Cluster": (cluster) =>
    input(cluster, "manageMasterUserPassword") === true ? [["secret of the master user", prices.perMonth.secret]] : [],
  "aws:rds/clusterInstance:ClusterInstance": (instance, graph) => {
    const instanceClass = textInput(instance, "instanceClass");
    if (instanceClass !== "db.serverless") return [[instanceClass, hourly(instanceClass)]];
    const cluster = graph
      .ofType("aws:rds/cluster:Cluster")
      .find((each) => input(each, "clusterIdentifier") === input(instance, "clusterIdentifier"));
    const minimum = Number(cluster && input(cluster, "serverlessv2ScalingConfiguration.minCapacity"));
    if (!(minimum > 0)) throw new Error(`${instance.name} has no cluster with a minimum capacity.`);
    return [[`serverless, ${minimum} ACU at least`, hourly("auroraCapacityUnit", minimum)]];
  },
  "aws:msk/cluster:Cluster": (cluster) => {
    const brokers = Number(input(cluster, "numberOfBrokerNodes"));
    const instanceType = textInput(cluster, "brokerNodeGroupInfo.instanceType");
    const size = Number(input(cluster, "brokerNodeGroupInfo.storageInfo.ebsStorageInfo.volumeSize"));
    return [
      [`${brokers} × ${instanceType}`, hourly(instanceType, brokers)],
      [`${brokers} × ${size} GiB`, brokers * size * prices.perMonth.brokerStorageGib],
    ];
  },
  "aws:dms/replicationInstance:ReplicationInstance": (instance) => {
    const copies = input(instance, "multiAz") === true ? 2 : 1;
    const instanceClass = textInput(instance, "replicationInstanceClass");
    const size = Number(input(instance, "allocatedStorage"));
    return [
      [`${copies} × ${instanceClass}`, hourly(instanceClass, copies)],
      [`${copies} × ${size} GiB`, copies * size * prices.perMonth.captureStorageGib],
    ];
  },
  "aws:mskconnect/connector:Connector": (connector) => {
    const workers = Number(input(connector, "capacity.provisionedCapacity.workerCount"));
    const units = Number(input(connector, "capacity.provisionedCapacity.mcuCount"));
    return [[`${workers} × ${units} MCU`, hourly("connectUnit", workers * units)]];
  },
  "aws:ecs/service:Service": (service, graph) => {
    const task = graph
      .ofType("aws:ecs/taskDefinition:TaskDefinition")
      .find((each) => each.outputs.arn === input(service, "taskDefinition"));
    if (!task) throw new Error(`${service.name} names a task definition that is not in the recording.`);
    const tasks = Number(input(service, "desiredCount"));
    const arm = textInput(task, "runtimePlatform.cpuArchitecture") === "ARM64";
    const [cpu, gib] = [Number(input(task, "cpu")) / 1024, Number(input(task, "memory")) / 1024];
    const [cpuPrice, gibPrice]: readonly HourlyPrice[] = arm
      ? ["fargateCpuArm64", "fargateGibArm64"]
      : ["fargateCpuX86", "fargateGibX86"];
    const monthly = hourly(cpuPrice ?? "", tasks * cpu) + hourly(gibPrice ?? "", tasks * gib);
    return [[`${tasks} × ${cpu} vCPU, ${gib} GiB (${arm ? "ARM64" : "X86_64"})`, monthly]];
  },
  "aws:lb/loadBalancer:LoadBalancer": () => [["application load balancer", hourly("loadBalancer")]],
  "aws:kms/key:Key": () => [["customer-managed key", prices.perMonth.key]],
  "aws:secretsmanager/secret:Secret": () => [["secret", prices.perMonth.secret]],
  "aws:cloudwatch/metricAlarm:MetricAlarm": (alarm) => {
    const queries = (input(alarm, "metricQueries") ?? []) as readonly { readonly metric?: unknown }[];
    const metrics = Math.max(1, queries.filter(({ metric }) => metric).length);
    return [[metrics === 1 ? "alarm" : `alarm over ${metrics} metrics`, metrics * prices.perMonth.alarmMetric]];
  },
  "aws:cloudwatch/compositeAlarm:CompositeAlarm": () => [["composite alarm", prices.perMonth.compositeAlarm]],
  "aws:cloudwatch/dashboard:Dashboard": () => [["dashboard", prices.perMonth.dashboard]],
};

/** Types that cost nothing by themselves, or by use alone; of any other type the price must be said. */
const withoutFixedPrice =
  /^(aws:(iam|vpc|appautoscaling|ecr|s3|sns|sqs|lambda|scheduler)\/|aws:kms\/keyPolicy|aws:secretsmanager\/secretVersion|aws:cloudwatch\/(logGroup|event|logMetricFilter)|aws:ec2\/(securityGroup|defaultSecurityGroup)|aws:rds\/(clusterParameterGroup|subnetGroup)|aws:msk\/(configuration|topic|singleScram)|aws:mskconnect\/(customPlugin|workerConfiguration)|aws:dms\/(certificate|endpoint|replicationSubnetGroup|replicationTask)|aws:lb\/(listener|targetGroup)|aws:ecs\/(cluster|taskDefinition)|awsx:ecr:Image|random:|pulumi:)/;

/**
 * The fixed costs of a recorded stack, line by line.
 *
 * @throws when the recording has a type of resource whose price nobody has stated, or docs/prices.json lacks a price.
 */
export function fixedCosts(graph: Graph): CostLine[] {
  return graph.resources
    .filter((resource) => resource.custom || resource.remote)
    .flatMap((resource) => {
      const charge = charges[resource.type];
      if (!charge && !withoutFixedPrice.test(resource.type)) {
        throw new Error(`Nobody has said what ${resource.type} costs: add it to scripts/cost.ts.`);
      }
      return (charge?.(resource, graph) ?? []).map(([what, monthly]) => ({
        component: graph.componentOf(resource).name,
        resource: `${resource.name} (${shortType(resource.type).replace(/^aws\./, "")})`,
        what,
        monthly,
      }));
    })
    .sort((a, b) => compare(a.component, b.component) || b.monthly - a.monthly || compare(a.resource, b.resource));
}

export function total(lines: readonly CostLine[]): number {
  return lines.reduce((sum, { monthly }) => sum + monthly, 0);
}

function dollars(amount: number): string {
  return amount.toFixed(2);
}

/** The costs of every kind of environment as a document, from their recorded graphs. */
export async function costReference(graphOf: typeof recorded): Promise<string> {
  const stacks: { readonly stack: string; readonly lines: readonly CostLine[] }[] = [];
  for (const stack of environments) stacks.push({ stack, lines: fixedCosts(await graphOf(stack)) });
  const components = [...new Set(stacks.flatMap(({ lines }) => lines.map(({ component }) => component)))].sort(compare);
  return [
    "# What it costs",
    "Written by `npm run docs` from the recorded graphs of the stack files and `docs/prices.json`; `npm run cost -- dev` " +
      "prints the same for one stack, with the settings that its file has now.",
    `Prices: ${prices.source} Looked up on **${prices.asOf}** in the newest copies of price pages that could be had, for ` +
      `${prices.region}, in ${prices.currency}, ${prices.hoursPerMonth} hours a month. Estimated from classes of the same size: ` +
      `${prices.estimated.join(", ")}. Nobody has compared them with an invoice; other regions cost up to a fifth more.`,
    table(["prices of", "copy of", "from"], prices.sources as unknown as readonly (readonly string[])[]),
    "## Fixed costs a month",
    table(
      ["component", ...environments],
      [
        ...components.map((component) => [
          component,
          ...stacks.map(({ lines }) => dollars(total(lines.filter((line) => line.component === component)))),
        ]),
        ["**all**", ...stacks.map(({ lines }) => `**${dollars(total(lines))}**`)],
      ],
    ),
    "## By use",
    table(["what", "price"], prices.byUse as unknown as readonly (readonly string[])[]),
    ...stacks.flatMap(({ stack, lines }) => [`## ${stack}, resource by resource`, costTable(lines)]),
    "## The reviewer's page",
    "No stack file has it. What `review` adds to dev, with its smallest task:",
    costTable(addedCosts(await graphOf("dev"), await graphOf("dev-with-review"))),
  ]
    .join("\n\n")
    .concat("\n");
}

/** What a variant costs beyond its stack. */
function addedCosts(stack: Graph, variant: Graph): CostLine[] {
  const known = new Set(fixedCosts(stack).map((line) => JSON.stringify(line)));
  return fixedCosts(variant).filter((line) => !known.has(JSON.stringify(line)));
}

/** Lines that differ by nothing but the resource are told once, with their number. */
function costTable(lines: readonly CostLine[]): string {
  const groups = new Map<string, CostLine[]>();
  for (const line of lines) {
    const kind = line.resource.replace(/^.* \(/, "(");
    const key = [line.component, kind, line.what, line.monthly].join();
    groups.set(key, [...(groups.get(key) ?? []), line]);
  }
  return table(
    ["component", "resource", "what", "a month"],
    [...groups.values()].flatMap((group) => {
      const [first] = group;
      if (!first) return [];
      const name =
        group.length === 1 ? first.resource : first.resource.replace(/^.* \((.*)\)$/, `${group.length} × $1`);
      return [[first.component, name, first.what, dollars(total(group))]];
    }),
  );
}

if (require.main === module) {
  new Command("cost")
    .description("Prints what a stack costs a month whether it is used or not, from its recorded graph.")
    .argument("[stack]", "the stack whose settings to use", "dev")
    .action(async (stack: string) => {
      const lines = fixedCosts(await recorded(stack));
      console.log(
        `${costTable(lines)}\n\n${stack}: ${dollars(total(lines))} ${prices.currency} a month, prices looked up on ${prices.asOf}`,
      );
    })
    .parseAsync()
    .catch((error: unknown) => {
      console.error(error instanceof Error ? error.message : error);
      process.exitCode = 1;
    });
}

import { currentScope } from "./names";

/** Names of the tags that say which component and stack own a resource. */
export const ownerTags = { component: "cdc-audit:component", stack: "cdc-audit:stack" } as const;

/**
 * Tags of a component's child: the name that people see in the AWS console, and the component and stack that own it.
 * Permissions use them where AWS chooses a resource's ARN. Tags for the whole stack (team, environment, cost centre)
 * belong in the provider's `defaultTags`.
 *
 * @param childName Logical name of the child.
 * @param component Logical name of the component.
 */
export function componentTags(childName: string, component: string): Record<string, string> {
  return { Name: childName, ...owner(component) };
}

/** The tags of all of a component's children. */
export function owner(component: string): Record<string, string> {
  const { project, stack } = currentScope();
  return { [ownerTags.component]: component, [ownerTags.stack]: `${project}/${stack}` };
}

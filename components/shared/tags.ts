/**
 * Tags of a component's child: the name that people see in the AWS console, and the component that owns it. Tags for
 * the whole stack (team, environment, cost centre) belong in the provider's `defaultTags`.
 *
 * @param childName Logical name of the child.
 * @param component Logical name of the component.
 */
export function componentTags(childName: string, component: string): Record<string, string> {
  return { Name: childName, "cdc-audit:component": component };
}

import type { MonitoredReviewArgs } from "../types";
import type { Hop, Metric } from "./hop";

/** Seconds that the page may take to begin an answer, on average: a question is cancelled after ten. */
const slowSeconds = 3;

/** The reviewer's page, where the log is read. It ends no flow, but people wait for it. */
export function reviewHop(review: MonitoredReviewArgs): Hop {
  const dimensions = { LoadBalancer: review.loadBalancerMetricName, TargetGroup: review.targetGroupMetricName };
  const ofTargets = (name: string, statistic: Metric["statistic"]): Metric => ({
    namespace: "AWS/ApplicationELB",
    name,
    statistic,
    dimensions,
  });
  const ofLoadBalancer = (name: string): Metric => ({
    namespace: "AWS/ApplicationELB",
    name,
    statistic: "Sum",
    dimensions: { LoadBalancer: review.loadBalancerMetricName },
  });
  return {
    title: "Reviewer's page",
    about: "People read the log through it, behind a load balancer that asks for their login.",
    alarms: [
      {
        key: "review-unhealthy",
        metric: ofTargets("HealthyHostCount", "Minimum"),
        breachedWhen: "below",
        threshold: 1,
        unit: "healthy tasks",
        minutes: 10,
        silenceBreaches: true,
        meaning: "No task of the reviewer's page answers its load balancer.",
        firstStep: "Look at the service's events and at the log of the last stopped task.",
        runbookSection: "Page for reviewers",
      },
      {
        key: "review-failing",
        metric: ofTargets("HTTPCode_Target_5XX_Count", "Sum"),
        breachedWhen: "above",
        threshold: 5,
        unit: "failed answers",
        minutes: 10,
        silenceBreaches: false,
        meaning: "The reviewer's page fails: the database is away, questions take too long, or the page is broken.",
        firstStep: "Look at the tasks' log, which says which.",
        runbookSection: "Page for reviewers",
      },
      {
        key: "review-slow",
        metric: ofTargets("TargetResponseTime", "Average"),
        breachedWhen: "above",
        threshold: slowSeconds,
        unit: "seconds",
        minutes: 15,
        silenceBreaches: false,
        meaning: "Readers wait for the reviewer's page.",
        firstStep: "Look at the database's load first, then at the tasks' processor: raise review.cpu or review.tasks.",
        runbookSection: "Page for reviewers",
      },
      {
        key: "review-login-failing",
        metric: ofLoadBalancer("ELBAuthError"),
        breachedWhen: "above",
        threshold: 5,
        unit: "failed logins",
        minutes: 10,
        silenceBreaches: false,
        meaning:
          "The load balancer can't ask the identity provider: a wrong secret or address, or no way out over NAT.",
        firstStep: "Compare review.oidc with the provider, and open its token endpoint from the VPC.",
        runbookSection: "Page for reviewers",
      },
    ],
    charts: [
      { title: "Requests", metrics: [ofTargets("RequestCount", "Sum")] },
      { title: "Logins", metrics: [ofLoadBalancer("ELBAuthSuccess"), ofLoadBalancer("ELBAuthFailure")] },
    ],
  };
}

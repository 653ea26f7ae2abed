/** A member that never reaches AWS, and why. */
export interface NotSent {
  readonly notSent: string;
}

/** A member that the provider sends in another call than the one that creates the resource. */
export interface SentBy {
  readonly operation: string;
  /** Dotted path within that call's input. */
  readonly member: string;
}

/** How Pulumi's AWS provider turns the inputs of a resource into API calls. */
export interface ResourceCalls {
  /** Folder of the service in botocore's data. */
  readonly service: string;
  /** The operation that creates the resource. */
  readonly operation: string;
  /**
   * Where an input goes when its name alone doesn't say. Keys are dotted input paths without list indices; texts are
   * dotted paths from the structure that holds the input's siblings.
   */
  readonly members?: Readonly<Record<string, string | NotSent | SentBy>>;
  /** Required members that the provider fills in by itself. */
  readonly supplied?: readonly string[];
}

const providerOnly: NotSent = { notSent: "the provider's own behaviour" };
const namedAttribute: NotSent = { notSent: "one of the attributes that a call of their own sets by name" };
const destroyOnly: NotSent = { notSent: "used when the resource is destroyed" };
const kafkaTags = { tags: "tags" } as const;

/** Every AWS resource type that the program registers. */
export const resourceCalls: Readonly<Record<string, ResourceCalls>> = {
  "aws:appautoscaling/policy:Policy": {
    service: "application-autoscaling",
    operation: "PutScalingPolicy",
    members: { name: "PolicyName" },
  },
  "aws:appautoscaling/target:Target": { service: "application-autoscaling", operation: "RegisterScalableTarget" },
  "aws:cloudwatch/compositeAlarm:CompositeAlarm": { service: "cloudwatch", operation: "PutCompositeAlarm" },
  "aws:cloudwatch/dashboard:Dashboard": { service: "cloudwatch", operation: "PutDashboard" },
  "aws:cloudwatch/eventRule:EventRule": { service: "events", operation: "PutRule" },
  "aws:cloudwatch/eventTarget:EventTarget": {
    service: "events",
    operation: "PutTargets",
    members: {
      targetId: "Targets.Id",
      arn: "Targets.Arn",
      input: "Targets.Input",
      inputPath: "Targets.InputPath",
      inputTransformer: "Targets.InputTransformer",
      "inputTransformer.inputPaths": "InputPathsMap",
      roleArn: "Targets.RoleArn",
      retryPolicy: "Targets.RetryPolicy",
      deadLetterConfig: "Targets.DeadLetterConfig",
    },
  },
  "aws:cloudwatch/logGroup:LogGroup": {
    service: "logs",
    operation: "CreateLogGroup",
    members: {
      name: "logGroupName",
      retentionInDays: { operation: "PutRetentionPolicy", member: "retentionInDays" },
      skipDestroy: destroyOnly,
    },
  },
  "aws:cloudwatch/logMetricFilter:LogMetricFilter": {
    service: "logs",
    operation: "PutMetricFilter",
    members: {
      name: "filterName",
      pattern: "filterPattern",
      metricTransformation: "metricTransformations",
      "metricTransformation.name": "metricName",
      "metricTransformation.namespace": "metricNamespace",
      "metricTransformation.value": "metricValue",
    },
  },
  "aws:cloudwatch/metricAlarm:MetricAlarm": {
    service: "cloudwatch",
    operation: "PutMetricAlarm",
    members: {
      name: "AlarmName",
      metricQueries: "Metrics",
      "metricQueries.metric": "MetricStat",
      "metricQueries.metric.metricName": "Metric.MetricName",
      "metricQueries.metric.namespace": "Metric.Namespace",
      "metricQueries.metric.dimensions": "Metric.Dimensions",
      evaluateLowSampleCountPercentiles: "EvaluateLowSampleCountPercentile",
    },
  },
  "aws:dms/certificate:Certificate": {
    service: "dms",
    operation: "ImportCertificate",
    members: { certificateId: "CertificateIdentifier" },
  },
  "aws:dms/endpoint:Endpoint": {
    service: "dms",
    operation: "CreateEndpoint",
    members: {
      endpointId: "EndpointIdentifier",
      kmsKeyArn: "KmsKeyId",
      postgresSettings: "PostgreSQLSettings",
      // The provider copies these into the settings of the engine.
      secretsManagerArn: "PostgreSQLSettings.SecretsManagerSecretId",
      secretsManagerAccessRoleArn: "PostgreSQLSettings.SecretsManagerAccessRoleArn",
      pauseReplicationTasks: providerOnly,
    },
  },
  "aws:dms/replicationInstance:ReplicationInstance": {
    service: "dms",
    operation: "CreateReplicationInstance",
    members: {
      replicationInstanceId: "ReplicationInstanceIdentifier",
      replicationSubnetGroupId: "ReplicationSubnetGroupIdentifier",
      kmsKeyArn: "KmsKeyId",
      multiAz: "MultiAZ",
      allowMajorVersionUpgrade: { operation: "ModifyReplicationInstance", member: "AllowMajorVersionUpgrade" },
      applyImmediately: { operation: "ModifyReplicationInstance", member: "ApplyImmediately" },
    },
  },
  "aws:dms/replicationSubnetGroup:ReplicationSubnetGroup": {
    service: "dms",
    operation: "CreateReplicationSubnetGroup",
    members: { replicationSubnetGroupId: "ReplicationSubnetGroupIdentifier" },
  },
  "aws:dms/replicationTask:ReplicationTask": {
    service: "dms",
    operation: "CreateReplicationTask",
    members: { replicationTaskId: "ReplicationTaskIdentifier", startReplicationTask: providerOnly },
  },
  "aws:ec2/defaultSecurityGroup:DefaultSecurityGroup": {
    service: "ec2",
    operation: "CreateTags",
    members: { vpcId: { notSent: "finds the group, which exists already" } },
    supplied: ["Resources"],
  },
  "aws:ec2/securityGroup:SecurityGroup": {
    service: "ec2",
    operation: "CreateSecurityGroup",
    members: {
      name: "GroupName",
      tags: "TagSpecifications.Tags",
      revokeRulesOnDelete: destroyOnly,
    },
  },
  "aws:ec2/vpcEndpoint:VpcEndpoint": {
    service: "ec2",
    operation: "CreateVpcEndpoint",
    members: { policy: "PolicyDocument", tags: "TagSpecifications.Tags", autoAccept: providerOnly },
  },
  "aws:ecr/lifecyclePolicy:LifecyclePolicy": {
    service: "ecr",
    operation: "PutLifecyclePolicy",
    members: { repository: "repositoryName", policy: "lifecyclePolicyText" },
  },
  "aws:ecr/repository:Repository": {
    service: "ecr",
    operation: "CreateRepository",
    members: {
      name: "repositoryName",
      encryptionConfigurations: "encryptionConfiguration",
      forceDelete: destroyOnly,
    },
  },
  "aws:ecs/cluster:Cluster": {
    service: "ecs",
    operation: "CreateCluster",
    members: { name: "clusterName" },
  },
  "aws:ecs/clusterCapacityProviders:ClusterCapacityProviders": {
    service: "ecs",
    operation: "PutClusterCapacityProviders",
    members: { clusterName: "cluster", defaultCapacityProviderStrategies: "defaultCapacityProviderStrategy" },
    supplied: ["defaultCapacityProviderStrategy"],
  },
  "aws:ecs/service:Service": {
    service: "ecs",
    operation: "CreateService",
    members: {
      name: "serviceName",
      enableEcsManagedTags: "enableECSManagedTags",
      deploymentCircuitBreaker: "deploymentConfiguration.deploymentCircuitBreaker",
      deploymentMaximumPercent: "deploymentConfiguration.maximumPercent",
      deploymentMinimumHealthyPercent: "deploymentConfiguration.minimumHealthyPercent",
      alarms: "deploymentConfiguration.alarms",
      networkConfiguration: "networkConfiguration.awsvpcConfiguration",
      "networkConfiguration.assignPublicIp": { notSent: "a boolean here, ENABLED or DISABLED there" },
      capacityProviderStrategies: "capacityProviderStrategy",
      waitForSteadyState: providerOnly,
      forceNewDeployment: { operation: "UpdateService", member: "forceNewDeployment" },
      sigintRollback: providerOnly,
    },
  },
  "aws:ecs/taskDefinition:TaskDefinition": {
    service: "ecs",
    operation: "RegisterTaskDefinition",
    members: { skipDestroy: destroyOnly, trackLatest: providerOnly },
  },
  "aws:iam/policy:Policy": {
    service: "iam",
    operation: "CreatePolicy",
    members: { name: "PolicyName", policy: "PolicyDocument" },
  },
  "aws:iam/role:Role": {
    service: "iam",
    operation: "CreateRole",
    members: {
      name: "RoleName",
      assumeRolePolicy: "AssumeRolePolicyDocument",
      forceDetachPolicies: destroyOnly,
      managedPolicyArns: { operation: "AttachRolePolicy", member: "PolicyArn" },
    },
  },
  "aws:iam/rolePolicy:RolePolicy": {
    service: "iam",
    operation: "PutRolePolicy",
    members: { name: "PolicyName", role: "RoleName", policy: "PolicyDocument" },
  },
  "aws:iam/rolePolicyAttachment:RolePolicyAttachment": {
    service: "iam",
    operation: "AttachRolePolicy",
    members: { role: "RoleName" },
  },
  "aws:kms/alias:Alias": { service: "kms", operation: "CreateAlias", members: { name: "AliasName" } },
  "aws:kms/key:Key": {
    service: "kms",
    operation: "CreateKey",
    members: {
      "tags.key": "TagKey",
      enableKeyRotation: { notSent: "decides whether EnableKeyRotation is called" },
      rotationPeriodInDays: { operation: "EnableKeyRotation", member: "RotationPeriodInDays" },
      deletionWindowInDays: { operation: "ScheduleKeyDeletion", member: "PendingWindowInDays" },
    },
  },
  "aws:kms/keyPolicy:KeyPolicy": { service: "kms", operation: "PutKeyPolicy" },
  "aws:lambda/function:Function": {
    service: "lambda",
    operation: "CreateFunction",
    members: {
      name: "FunctionName",
      code: { notSent: "the archive itself, checked when it is built" },
      reservedConcurrentExecutions: {
        operation: "PutFunctionConcurrency",
        member: "ReservedConcurrentExecutions",
      },
      skipDestroy: destroyOnly,
    },
    supplied: ["Code"],
  },
  "aws:lambda/functionEventInvokeConfig:FunctionEventInvokeConfig": {
    service: "lambda",
    operation: "PutFunctionEventInvokeConfig",
  },
  "aws:lambda/invocation:Invocation": {
    service: "lambda",
    operation: "Invoke",
    members: { input: "Payload", lifecycleScope: providerOnly, terraformKey: providerOnly, triggers: providerOnly },
  },
  "aws:lambda/permission:Permission": {
    service: "lambda",
    operation: "AddPermission",
    members: { function: "FunctionName" },
    supplied: ["StatementId"],
  },
  "aws:lb/listener:Listener": {
    service: "elbv2",
    operation: "CreateListener",
    members: {
      certificateArn: "Certificates.CertificateArn",
      "defaultActions.authenticateOidc": "AuthenticateOidcConfig",
      "defaultActions.authenticateCognito": "AuthenticateCognitoConfig",
    },
  },
  "aws:lb/loadBalancer:LoadBalancer": {
    service: "elbv2",
    operation: "CreateLoadBalancer",
    members: {
      internal: { notSent: "a boolean here, a scheme there" },
      loadBalancerType: "Type",
      dropInvalidHeaderFields: namedAttribute,
      desyncMitigationMode: namedAttribute,
      idleTimeout: namedAttribute,
    },
  },
  "aws:lb/targetGroup:TargetGroup": {
    service: "elbv2",
    operation: "CreateTargetGroup",
    members: {
      healthCheck: { notSent: "its members stand beside the others there, each under a longer name" },
      deregistrationDelay: namedAttribute,
    },
  },
  "aws:msk/cluster:Cluster": {
    service: "kafka",
    operation: "CreateCluster",
    members: {
      ...kafkaTags,
      "clientAuthentication.sasl.iam": "iam.enabled",
      "clientAuthentication.sasl.scram": "scram.enabled",
      "clientAuthentication.unauthenticated": "unauthenticated.enabled",
      "encryptionInfo.encryptionAtRestKmsKeyArn": "EncryptionAtRest.DataVolumeKMSKeyId",
    },
  },
  "aws:msk/configuration:Configuration": { service: "kafka", operation: "CreateConfiguration" },
  "aws:msk/singleScramSecretAssociation:SingleScramSecretAssociation": {
    service: "kafka",
    operation: "BatchAssociateScramSecret",
    members: { secretArn: "SecretArnList" },
  },
  "aws:msk/topic:Topic": { service: "kafka", operation: "CreateTopic", members: { name: "TopicName" } },
  "aws:mskconnect/connector:Connector": {
    service: "kafkaconnect",
    operation: "CreateConnector",
    members: {
      name: "connectorName",
      description: "connectorDescription",
      kafkaconnectVersion: "kafkaConnectVersion",
      "workerConfiguration.arn": "workerConfigurationArn",
      "plugins.customPlugin.arn": "customPluginArn",
    },
  },
  "aws:mskconnect/customPlugin:CustomPlugin": {
    service: "kafkaconnect",
    operation: "CreateCustomPlugin",
    members: { "location.s3.bucketArn": "bucketArn", location: "location", "location.s3": "s3Location" },
  },
  "aws:mskconnect/workerConfiguration:WorkerConfiguration": {
    service: "kafkaconnect",
    operation: "CreateWorkerConfiguration",
  },
  "aws:rds/cluster:Cluster": {
    service: "rds",
    operation: "CreateDBCluster",
    members: {
      clusterIdentifier: "DBClusterIdentifier",
      enabledCloudwatchLogsExports: "EnableCloudwatchLogsExports",
      iamDatabaseAuthenticationEnabled: "EnableIAMDatabaseAuthentication",
      performanceInsightsEnabled: "EnablePerformanceInsights",
      serverlessv2ScalingConfiguration: "ServerlessV2ScalingConfiguration",
      skipFinalSnapshot: { operation: "DeleteDBCluster", member: "SkipFinalSnapshot" },
      finalSnapshotIdentifier: { operation: "DeleteDBCluster", member: "FinalDBSnapshotIdentifier" },
      deleteAutomatedBackups: { operation: "DeleteDBCluster", member: "DeleteAutomatedBackups" },
      applyImmediately: { operation: "ModifyDBCluster", member: "ApplyImmediately" },
      allowMajorVersionUpgrade: { operation: "ModifyDBCluster", member: "AllowMajorVersionUpgrade" },
    },
  },
  "aws:rds/clusterInstance:ClusterInstance": {
    service: "rds",
    operation: "CreateDBInstance",
    members: {
      identifier: "DBInstanceIdentifier",
      clusterIdentifier: "DBClusterIdentifier",
      instanceClass: "DBInstanceClass",
      caCertIdentifier: "CACertificateIdentifier",
      performanceInsightsEnabled: "EnablePerformanceInsights",
      applyImmediately: { operation: "ModifyDBInstance", member: "ApplyImmediately" },
    },
  },
  "aws:rds/clusterParameterGroup:ClusterParameterGroup": {
    service: "rds",
    operation: "CreateDBClusterParameterGroup",
    members: {
      name: "DBClusterParameterGroupName",
      family: "DBParameterGroupFamily",
      parameters: { operation: "ModifyDBClusterParameterGroup", member: "Parameters" },
      "parameters.name": "ParameterName",
      "parameters.value": "ParameterValue",
    },
  },
  "aws:rds/parameterGroup:ParameterGroup": {
    service: "rds",
    operation: "CreateDBParameterGroup",
    members: {
      name: "DBParameterGroupName",
      family: "DBParameterGroupFamily",
      parameters: { operation: "ModifyDBParameterGroup", member: "Parameters" },
      "parameters.name": "ParameterName",
      "parameters.value": "ParameterValue",
    },
  },
  "aws:rds/subnetGroup:SubnetGroup": {
    service: "rds",
    operation: "CreateDBSubnetGroup",
    members: { name: "DBSubnetGroupName", description: "DBSubnetGroupDescription" },
    supplied: ["DBSubnetGroupDescription"],
  },
  "aws:s3/bucket:Bucket": {
    service: "s3",
    operation: "CreateBucket",
    members: {
      forceDestroy: destroyOnly,
      tags: { operation: "PutBucketTagging", member: "Tagging.TagSet" },
    },
  },
  "aws:s3/bucketLifecycleConfiguration:BucketLifecycleConfiguration": {
    service: "s3",
    operation: "PutBucketLifecycleConfiguration",
    members: { rules: "LifecycleConfiguration.Rules" },
  },
  "aws:s3/bucketObjectv2:BucketObjectv2": {
    service: "s3",
    operation: "PutObject",
    members: {
      source: { notSent: "the object itself" },
      sourceHash: providerOnly,
      kmsKeyId: "SSEKMSKeyId",
      forceDestroy: destroyOnly,
      tags: { notSent: "sent in a header as a query string" },
    },
  },
  "aws:s3/bucketOwnershipControls:BucketOwnershipControls": {
    service: "s3",
    operation: "PutBucketOwnershipControls",
    members: { rule: "OwnershipControls.Rules" },
  },
  "aws:s3/bucketPolicy:BucketPolicy": { service: "s3", operation: "PutBucketPolicy" },
  "aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock": {
    service: "s3",
    operation: "PutPublicAccessBlock",
    members: {
      blockPublicAcls: "PublicAccessBlockConfiguration.BlockPublicAcls",
      blockPublicPolicy: "PublicAccessBlockConfiguration.BlockPublicPolicy",
      ignorePublicAcls: "PublicAccessBlockConfiguration.IgnorePublicAcls",
      restrictPublicBuckets: "PublicAccessBlockConfiguration.RestrictPublicBuckets",
      skipDestroy: destroyOnly,
    },
  },
  "aws:s3/bucketServerSideEncryptionConfiguration:BucketServerSideEncryptionConfiguration": {
    service: "s3",
    operation: "PutBucketEncryption",
    members: {
      rules: "ServerSideEncryptionConfiguration.Rules",
      "rules.applyServerSideEncryptionByDefault.kmsMasterKeyId": "KMSMasterKeyID",
      "rules.applyServerSideEncryptionByDefault.sseAlgorithm": "SSEAlgorithm",
    },
  },
  "aws:s3/bucketVersioning:BucketVersioning": {
    service: "s3",
    operation: "PutBucketVersioning",
    members: { "versioningConfiguration.mfaDelete": "MFADelete" },
  },
  "aws:scheduler/schedule:Schedule": { service: "scheduler", operation: "CreateSchedule" },
  "aws:secretsmanager/secret:Secret": {
    service: "secretsmanager",
    operation: "CreateSecret",
    members: {
      recoveryWindowInDays: { operation: "DeleteSecret", member: "RecoveryWindowInDays" },
      forceOverwriteReplicaSecret: "ForceOverwriteReplicaSecret",
    },
  },
  "aws:secretsmanager/secretPolicy:SecretPolicy": {
    service: "secretsmanager",
    operation: "PutResourcePolicy",
    members: { secretArn: "SecretId", policy: "ResourcePolicy" },
  },
  "aws:secretsmanager/secretVersion:SecretVersion": { service: "secretsmanager", operation: "PutSecretValue" },
  "aws:sns/topic:Topic": {
    service: "sns",
    operation: "CreateTopic",
    members: {
      kmsMasterKeyId: "Attributes.KmsMasterKeyId",
      displayName: "Attributes.DisplayName",
      policy: "Attributes.Policy",
    },
  },
  "aws:sns/topicPolicy:TopicPolicy": {
    service: "sns",
    operation: "SetTopicAttributes",
    members: { arn: "TopicArn", policy: "AttributeValue" },
    supplied: ["AttributeName"],
  },
  "aws:sns/topicSubscription:TopicSubscription": {
    service: "sns",
    operation: "Subscribe",
    members: {
      topic: "TopicArn",
      rawMessageDelivery: { notSent: "a boolean here, a text among the attributes there" },
    },
  },
  "aws:sqs/queue:Queue": {
    service: "sqs",
    operation: "CreateQueue",
    members: {
      name: "QueueName",
      // Attributes are texts by name: the model knows the names alone.
      messageRetentionSeconds: { notSent: "a number here, a text among the attributes there" },
      kmsMasterKeyId: "Attributes.KmsMasterKeyId",
    },
  },
  "aws:vpc/securityGroupEgressRule:SecurityGroupEgressRule": {
    service: "ec2",
    operation: "AuthorizeSecurityGroupEgress",
    members: securityGroupRule(),
  },
  "aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule": {
    service: "ec2",
    operation: "AuthorizeSecurityGroupIngress",
    members: securityGroupRule(),
  },
};

/** Inputs of every resource that are not part of its own API. */
export const commonMembers: Readonly<Record<string, NotSent>> = {
  region: { notSent: "decides whom the provider asks" },
  timeouts: providerOnly,
};

/** A limit that AWS's models state in words only. */
interface DocumentedConstraint {
  readonly pattern?: string;
  readonly max?: number;
}

const dmsIdentifier: DocumentedConstraint = { pattern: "^[a-zA-Z](?:-?[a-zA-Z0-9])*$", max: 255 };
const rdsIdentifier: DocumentedConstraint = { pattern: "^[a-z](?:-?[a-z0-9])*$", max: 63 };

/** From the documentation texts of the same models: `service.Operation.Member` and what its value must satisfy. */
export const documentedConstraints: Readonly<Record<string, DocumentedConstraint>> = {
  "dms.CreateEndpoint.EndpointIdentifier": dmsIdentifier,
  "dms.CreateReplicationInstance.ReplicationInstanceIdentifier": { ...dmsIdentifier, max: 63 },
  "dms.CreateReplicationTask.ReplicationTaskIdentifier": dmsIdentifier,
  "dms.CreateReplicationTask.ResourceIdentifier": { pattern: "^[a-zA-Z](?:-?[a-zA-Z0-9])*$", max: 31 },
  "dms.CreateReplicationSubnetGroup.ReplicationSubnetGroupIdentifier": {
    pattern: "^(?!default$)[a-z0-9._ -]+$",
    max: 255,
  },
  "ec2.CreateSecurityGroup.GroupName": { pattern: "^(?!sg-)[a-zA-Z0-9 ._\\-:/()#,@\\[\\]+=&;{}!$*]+$", max: 255 },
  "ec2.CreateSecurityGroup.Description": { pattern: "^[a-zA-Z0-9 ._\\-:/()#,@\\[\\]+=&;{}!$*]+$", max: 255 },
  "ecs.CreateCluster.clusterName": { pattern: "^[a-zA-Z0-9_-]+$", max: 255 },
  "ecs.CreateService.serviceName": { pattern: "^[a-zA-Z0-9_-]+$", max: 255 },
  "ecs.RegisterTaskDefinition.family": { pattern: "^[a-zA-Z0-9_-]+$", max: 255 },
  "kafka.CreateCluster.ClusterName": { pattern: "^[a-zA-Z0-9-]+$", max: 64 },
  "kafka.CreateTopic.TopicName": { pattern: "^[a-zA-Z0-9._-]+$", max: 249 },
  "rds.CreateDBCluster.DBClusterIdentifier": rdsIdentifier,
  "rds.CreateDBCluster.MasterUsername": { pattern: "^[a-zA-Z][a-zA-Z0-9_]*$", max: 16 },
  "rds.CreateDBInstance.DBInstanceIdentifier": rdsIdentifier,
  "rds.CreateDBClusterParameterGroup.DBClusterParameterGroupName": { ...rdsIdentifier, max: 255 },
  "rds.CreateDBParameterGroup.DBParameterGroupName": { ...rdsIdentifier, max: 255 },
  "rds.CreateDBSubnetGroup.DBSubnetGroupName": { pattern: "^(?!default$)[a-z0-9._ -]+$", max: 255 },
  "s3.CreateBucket.Bucket": { pattern: "^(?!xn--|sthree-)[a-z0-9][a-z0-9-]{1,61}[a-z0-9]$", max: 63 },
  "secretsmanager.CreateSecret.Name": { pattern: "^(?!.*-.{6}$)[a-zA-Z0-9/_+=.@-]+$", max: 512 },
  "sqs.CreateQueue.QueueName": { pattern: "^[a-zA-Z0-9_-]+$", max: 80 },
  "sns.CreateTopic.Name": { pattern: "^[a-zA-Z0-9_-]+$", max: 256 },
};

function securityGroupRule(): Readonly<Record<string, string | NotSent>> {
  return {
    securityGroupId: "GroupId",
    ipProtocol: "IpPermissions.IpProtocol",
    fromPort: "IpPermissions.FromPort",
    toPort: "IpPermissions.ToPort",
    cidrIpv4: "IpPermissions.IpRanges.CidrIp",
    cidrIpv6: "IpPermissions.Ipv6Ranges.CidrIpv6",
    referencedSecurityGroupId: "IpPermissions.UserIdGroupPairs.GroupId",
    prefixListId: "IpPermissions.PrefixListIds.PrefixListId",
    description: "IpPermissions.UserIdGroupPairs.Description",
    tags: "TagSpecifications.Tags",
  };
}

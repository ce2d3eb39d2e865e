/**
 * The part of the API of Kubernetes that infra/k8s uses. Every object is strict, so that a field that is misspelt or in the
 * wrong place, which Kubernetes ignores or refuses, is found here.
 */
import { z } from 'zod'

const name = z.string().regex(/^[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$/)
const labels = z.record(z.string(), z.string())
const metadata = z.strictObject({ name, labels: labels.optional() })
const port = z.union([z.int().min(1).max(65_535), name])
const quantity = z.string().regex(/^\d+(?:m|[KMG]i)?$/)
const selector = z.strictObject({ matchLabels: labels })
const probe = z.strictObject({
  httpGet: z.strictObject({ path: z.string().startsWith('/'), port }),
  periodSeconds: z.int().positive(),
})

const envVariable = z.union([
  z.strictObject({ name: z.string(), value: z.string() }),
  z.strictObject({
    name: z.string(),
    valueFrom: z.strictObject({ fieldRef: z.strictObject({ fieldPath: z.literal('metadata.name') }) }),
  }),
])

const container = z.strictObject({
  name,
  image: z.string(),
  command: z.array(z.string()).optional(),
  args: z.array(z.string()).optional(),
  env: z.array(envVariable).default([]),
  ports: z.array(z.strictObject({ name, containerPort: z.int().min(1).max(65_535) })).default([]),
  lifecycle: z
    .strictObject({ preStop: z.strictObject({ sleep: z.strictObject({ seconds: z.int().positive() }) }) })
    .optional(),
  readinessProbe: probe.optional(),
  livenessProbe: probe.optional(),
  resources: z.strictObject({
    requests: z.strictObject({ cpu: quantity, memory: quantity }),
    limits: z.strictObject({ memory: quantity }),
  }),
  securityContext: z.strictObject({
    allowPrivilegeEscalation: z.boolean().optional(),
    readOnlyRootFilesystem: z.boolean().optional(),
    runAsNonRoot: z.boolean().optional(),
    capabilities: z.strictObject({ drop: z.array(z.string()) }).optional(),
  }),
  volumeMounts: z.array(
    z.strictObject({
      name,
      mountPath: z.string().startsWith('/'),
      subPathExpr: z.string().optional(),
      readOnly: z.boolean().optional(),
    }),
  ),
})

const podSpec = z.strictObject({
  terminationGracePeriodSeconds: z.int().positive(),
  automountServiceAccountToken: z.boolean(),
  securityContext: z.strictObject({
    runAsNonRoot: z.boolean(),
    runAsUser: z.int(),
    fsGroup: z.int(),
    seccompProfile: z.strictObject({ type: z.string() }),
  }),
  initContainers: z.array(container).default([]),
  containers: z.array(container).min(1),
  volumes: z.array(
    z.union([
      z.strictObject({ name, secret: z.strictObject({ secretName: name, defaultMode: z.int() }) }),
      z.strictObject({ name, configMap: z.strictObject({ name }) }),
      z.strictObject({ name, emptyDir: z.strictObject({}) }),
    ]),
  ),
})
export type PodSpec = z.infer<typeof podSpec>

const template = z.strictObject({ metadata: z.strictObject({ labels }), spec: podSpec })

const deployment = z.strictObject({
  apiVersion: z.literal('apps/v1'),
  kind: z.literal('Deployment'),
  metadata,
  spec: z.strictObject({ replicas: z.int(), selector, template }),
})

const statefulSet = z.strictObject({
  apiVersion: z.literal('apps/v1'),
  kind: z.literal('StatefulSet'),
  metadata,
  spec: z.strictObject({
    serviceName: name,
    replicas: z.int(),
    podManagementPolicy: z.enum(['OrderedReady', 'Parallel']),
    selector,
    template,
    volumeClaimTemplates: z.array(
      z.strictObject({
        metadata,
        spec: z.strictObject({
          accessModes: z.array(z.enum(['ReadWriteOnce', 'ReadWriteOncePod'])),
          resources: z.strictObject({ requests: z.strictObject({ storage: quantity }) }),
        }),
      }),
    ),
  }),
})

const service = z.strictObject({
  apiVersion: z.literal('v1'),
  kind: z.literal('Service'),
  metadata,
  spec: z.strictObject({
    clusterIP: z.literal('None').optional(),
    selector: labels,
    sessionAffinity: z.literal('ClientIP').optional(),
    ports: z.array(z.strictObject({ name, port: z.int(), targetPort: port })).min(1),
  }),
})

export const manifestSchema = z.discriminatedUnion('kind', [
  deployment,
  statefulSet,
  service,
  z.strictObject({
    apiVersion: z.literal('policy/v1'),
    kind: z.literal('PodDisruptionBudget'),
    metadata,
    spec: z.strictObject({ minAvailable: z.int(), selector }),
  }),
  z.strictObject({
    apiVersion: z.literal('v1'),
    kind: z.literal('ConfigMap'),
    metadata,
    data: z.record(z.string(), z.string()),
  }),
  z.strictObject({ apiVersion: z.literal('v1'), kind: z.literal('Namespace'), metadata }),
  z.strictObject({
    apiVersion: z.literal('kustomize.config.k8s.io/v1beta1'),
    kind: z.literal('Kustomization'),
    namespace: name,
    resources: z.array(z.string()),
    images: z.array(z.strictObject({ name: z.string(), newTag: z.string() })),
  }),
])
export type Manifest = z.infer<typeof manifestSchema>

/** Settings of a pod that this schema allows and the Pod Security Standard "restricted" refuses. */
export function notRestricted(pod: PodSpec): string[] {
  const { securityContext: own } = pod
  return [
    ...(own.runAsNonRoot && own.runAsUser > 0 ? [] : ['runs as root']),
    ...(['RuntimeDefault', 'Localhost'].includes(own.seccompProfile.type) ? [] : ['has no seccomp profile']),
    ...[...pod.initContainers, ...pod.containers].flatMap(({ name: of, securityContext: context }) => [
      ...(context.allowPrivilegeEscalation === false ? [] : [`${of} may gain privileges`]),
      ...(context.capabilities?.drop.includes('ALL') ? [] : [`${of} keeps capabilities`]),
      ...(context.runAsNonRoot === false ? [`${of} runs as root`] : []),
    ]),
  ]
}

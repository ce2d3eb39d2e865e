import assert from 'node:assert/strict'
import { globSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { readYaml, resolveFile } from '@imapfleet/config'
import { manifestSchema, notRestricted, type Manifest, type PodSpec } from './kubernetes-schema.ts'

const repository = join(import.meta.dirname, '../..')
const folder = join(repository, 'infra/k8s')
const files = globSync('*.yaml', { cwd: folder }).sort()
const { version } = JSON.parse(readFileSync(join(repository, 'package.json'), 'utf8')) as { version: string }

const manifests: Manifest[] = files.flatMap((file) =>
  readFileSync(join(folder, file), 'utf8')
    .split(/^---$/m)
    .map((text) => {
      const yaml = readYaml(text)
      assert.ok(yaml.ok, file)
      const parsed = manifestSchema.safeParse(yaml.data)
      assert.ok(parsed.success, `${file}: ${parsed.error?.message}`)
      return parsed.data
    }),
)

const pods: { of: string; labels: Record<string, string>; spec: PodSpec; claims: string[] }[] =
  manifests.flatMap((each) => {
    if (each.kind !== 'Deployment' && each.kind !== 'StatefulSet') return []
    const { metadata, spec } = each.spec.template
    const claims = 'volumeClaimTemplates' in each.spec ? each.spec.volumeClaimTemplates : []
    return [
      {
        of: each.metadata.name,
        labels: metadata.labels,
        spec,
        claims: claims.map((claim) => claim.metadata.name),
      },
    ]
  })
const containersOf = ({ initContainers, containers }: PodSpec) => [...initContainers, ...containers]
const selects = (selector: Record<string, string>, labels: Record<string, string>) =>
  Object.entries(selector).every(([key, value]) => labels[key] === value)

test('the base has every manifest, and images have the version of the release', () => {
  const base = manifests.find((each) => each.kind === 'Kustomization')
  assert.deepEqual(
    base?.resources.toSorted(),
    files.filter((file) => file !== 'kustomization.yaml'),
  )
  const tags = pods.flatMap(({ spec }) => containersOf(spec).map(({ image }) => image))
  assert.deepEqual(
    [...new Set(tags)].sort(),
    (base?.images ?? []).map(({ name }) => `${name}:${version}`).sort(),
  )
  assert.deepEqual([...new Set(base?.images.map(({ newTag }) => newTag))], [version])
})

test('compose, Dockerfiles and documents name the same version', () => {
  const places = globSync(['infra/**/*.{yaml,Dockerfile,md}', 'docs/**/*.md'], { cwd: repository })
  const named = places.flatMap((file) =>
    [
      ...readFileSync(join(repository, file), 'utf8').matchAll(/imapfleet-(?:edge|control):(\d[\w.-]*\w)/g),
    ].map(([, tag]) => `${file} ${tag}`),
  )
  assert.ok(named.length >= 8, named.join('\n'))
  assert.deepEqual(
    named.filter((each) => !each.endsWith(` ${version}`)),
    [],
  )
})

test('every pod passes the Pod Security Standard "restricted", and its root file system is read-only', () => {
  assert.equal(pods.length, 2)
  for (const { of, spec } of pods) {
    assert.deepEqual(notRestricted(spec), [], of)
    for (const { name, securityContext } of containersOf(spec))
      assert.equal(securityContext.readOnlyRootFilesystem, true, `${of} ${name}`)
  }
})

test('a pod or an init container that is less restricted is found', () => {
  const [pod] = pods
  assert.ok(pod)
  const { spec } = pod
  const weak = spec.containers.map((each) => ({ ...each, securityContext: {} }))
  assert.deepEqual(notRestricted({ ...spec, initContainers: weak }), [
    'control may gain privileges',
    'control keeps capabilities',
  ])
  const root = { ...spec.securityContext, runAsUser: 0, seccompProfile: { type: 'Unconfined' } }
  assert.deepEqual(notRestricted({ ...spec, securityContext: root }), [
    'runs as root',
    'has no seccomp profile',
  ])
})

test('selectors, ports and volumes name what exists', () => {
  for (const each of manifests) {
    if (each.kind === 'Service') {
      const found = pods.filter(({ labels }) => selects(each.spec.selector, labels))
      assert.equal(found.length, 1, each.metadata.name)
      const ports = found.flatMap(({ spec }) => containersOf(spec).flatMap((container) => container.ports))
      for (const { targetPort } of each.spec.ports)
        assert.ok(
          ports.some(({ name }) => name === targetPort),
          `${each.metadata.name} ${targetPort}`,
        )
    }
  }
  const budgets = manifests.flatMap((each) =>
    each.kind === 'PodDisruptionBudget' ? [each.spec.selector.matchLabels] : [],
  )
  assert.equal(budgets.length, pods.length)
  for (const { of, labels } of pods)
    assert.equal(budgets.filter((selector) => selects(selector, labels)).length, 1, of)
  for (const each of manifests)
    if (each.kind === 'Deployment' || each.kind === 'StatefulSet')
      assert.ok(
        selects(each.spec.selector.matchLabels, each.spec.template.metadata.labels),
        each.metadata.name,
      )
  for (const { of, spec, claims } of pods) {
    const volumes = [...spec.volumes.map(({ name }) => name), ...claims]
    const mounted = containersOf(spec).flatMap(({ volumeMounts }) => volumeMounts.map(({ name }) => name))
    assert.deepEqual([...new Set(mounted)].sort(), volumes.toSorted(), of)
  }
})

test('a container of an edge sees no credential but its own', () => {
  const edge = pods.find(({ of }) => of === 'edge-eu')
  const mounts = containersOf(edge?.spec ?? assert.fail()).flatMap((container) =>
    container.volumeMounts
      .filter(({ name }) => name === 'credentials')
      .map((mount) => ({ ...mount, env: container.env })),
  )
  assert.equal(mounts.length, 1)
  assert.equal(mounts[0]?.subPathExpr, '$(POD_NAME).creds')
  assert.ok(mounts[0]?.env.some((variable) => variable.name === 'POD_NAME' && 'valueFrom' in variable))
})

test('the configuration of an edge has no mistakes, and names the credential where it is mounted', () => {
  const map = manifests.find((each) => each.kind === 'ConfigMap')
  const file = resolveFile(map?.data['edge.yaml']?.replaceAll('EDGE', 'edge-eu-0') ?? '')
  assert.ok(file.ok)
  assert.equal(file.config.edge.id, 'edge-eu-0')
  const paths = pods.flatMap(({ spec }) => containersOf(spec).flatMap(({ volumeMounts }) => volumeMounts))
  assert.ok(paths.some(({ mountPath }) => mountPath === file.config.fleet.credentialsFile))
})

test('a misspelt field is refused', () => {
  const service = manifests.find((each) => each.kind === 'Service')
  assert.equal(manifestSchema.safeParse(service).success, true)
  assert.equal(manifestSchema.safeParse({ ...service, specs: {} }).success, false)
})

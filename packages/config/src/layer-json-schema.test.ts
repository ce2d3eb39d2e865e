import assert from 'node:assert/strict'
import { test } from 'node:test'
import { layerJsonSchema } from './layer-json-schema.ts'
import { describeKeys } from './manual.ts'

interface Node {
  type?: string
  description?: string
  properties?: Record<string, Node>
  additionalProperties?: Node | false
  items?: Node
}

/** The schema of a key in the notation of the manual. */
function nodeOf(key: string): Node | undefined {
  let node: Node | undefined = layerJsonSchema()
  for (const part of key.replaceAll('[]', '.[]').split('.')) {
    if (part === 'NAME')
      node = typeof node?.additionalProperties === 'object' ? node.additionalProperties : undefined
    else node = part === '[]' ? node?.items : node?.properties?.[part]
  }
  return node
}

test('every key that the fleet can set is in the schema with its help, and no other', () => {
  for (const { key, help, steerable } of describeKeys()) {
    const node = nodeOf(key)
    if (steerable) assert.ok(node?.description?.startsWith(help), key)
    else assert.equal(node, undefined, key)
  }
})

test('unknown keys are mistakes at every level, and no key is required', () => {
  const text = JSON.stringify(layerJsonSchema())
  const walk = (node: Node, path: string): void => {
    if (node.properties) assert.equal(node.additionalProperties, false, path)
    for (const [key, child] of Object.entries(node.properties ?? {})) walk(child, `${path}.${key}`)
    if (typeof node.additionalProperties === 'object') walk(node.additionalProperties, `${path}.NAME`)
  }
  walk(layerJsonSchema(), '')
  // An entry of a route names its upstream.
  assert.deepEqual(
    [...text.matchAll(/"required":(\[.*?\])/g)].map(([, keys]) => keys),
    ['["upstream"]'],
  )
  assert.doesNotMatch(text, /"(help|reload|secret|hostOnly|default)":/)
})

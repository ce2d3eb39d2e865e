/** The schema of a layer as JSON Schema, by which editors complete and check the files of layers. */
import { z } from 'zod'
import { metaOf, type FieldMeta } from './fields.ts'
import { layerSchema } from './layer.ts'

/** Keys of the metadata, which JSON Schema does not know. */
const ownWords = ['help', 'reload', 'secret', 'hostOnly'] as const satisfies (keyof FieldMeta)[]

/** Draft 2020-12. It accepts every valid layer; a few rules, such as the form of a duration, are left to control. */
export function layerJsonSchema(): Record<string, unknown> {
  const schema = z.toJSONSchema(layerSchema, {
    io: 'input',
    unrepresentable: 'any',
    override: ({ zodSchema, jsonSchema }) => {
      const meta = metaOf(zodSchema as unknown as z.ZodType)
      for (const word of ownWords) delete (jsonSchema as Record<string, unknown>)[word]
      if (meta?.help === undefined) return
      const effect = meta.reload === 'restart' ? ' Takes effect when the edge restarts.' : ''
      jsonSchema.description = `${meta.help}${effect}`
    },
  })
  return {
    ...schema,
    title: 'A layer of an imapfleet configuration',
  }
}

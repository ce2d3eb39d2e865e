/** Any JSON value. In the OpenAPI document, the metadata replaces the recursive schema. */
import { z } from 'zod'

export const json = z.json().meta({ type: ['string', 'number', 'boolean', 'object', 'array', 'null'] })

/** Any JSON value; the metadata is what the OpenAPI document says of it, since the schema itself is recursive. */
import { z } from 'zod'

export const json = z.json().meta({ type: ['string', 'number', 'boolean', 'object', 'array', 'null'] })

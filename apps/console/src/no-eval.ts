/**
 * Must run before any schema is created: zod must not compile schemas, because the content security policy forbids
 * it.
 */
import { config } from 'zod'

config({ jitless: true })

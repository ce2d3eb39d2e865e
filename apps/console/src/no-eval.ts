/** Before any schema is made: zod must not try to compile it, which the content security policy forbids. */
import { config } from 'zod'

config({ jitless: true })

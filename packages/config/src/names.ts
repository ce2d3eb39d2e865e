/**
 * The names that a configuration gives to edges, regions, listeners and upstreams. NATS subjects, messages and the
 * API use the same form: it has no dot, no blank and no wildcard, so a name is always one token of a subject.
 */
import { z } from 'zod'

export const configNamePattern = /^[a-z0-9][a-z0-9_-]{0,62}$/

export const configName = z
  .string()
  .regex(configNamePattern, 'use lower-case letters, digits, - and _, at most 63')

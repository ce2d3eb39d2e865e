/**
 * The form of the names of edges, regions, listeners and upstreams, in configuration, NATS subjects, messages and the
 * API. A name has no dot, blank or wildcard, so it is always one token of a subject.
 */
import { z } from 'zod'

export const configNamePattern = /^[a-z0-9][a-z0-9_-]{0,62}$/

export const configName = z
  .string()
  .regex(
    configNamePattern,
    'must be 1 to 63 lower-case letters, digits, - or _, and begin with a letter or digit',
  )

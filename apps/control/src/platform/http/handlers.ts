/**
 * The types of handlers: each gets its parsed request and returns the answer of its route in packages/api. A missing
 * handler, one without a route, and an answer of another shape do not compile.
 */
import type { Route } from '@imapfleet/api'
import type { Context } from 'hono'
import type { z } from 'zod'
import type { Actor } from '../access.ts'

export interface Env {
  Variables: { actor: Actor }
}

export type Handlers<Routes extends Readonly<Record<string, Route>>> = {
  [Name in keyof Routes]: Handler<Routes[Name]>
}

type Handler<R extends Route> = (request: RequestOf<R>) => AnswerOf<R> | Promise<AnswerOf<R>>

type RequestOf<R extends Route> = Parsed<R> & { context: Context<Env> } & (R['role'] extends 'none'
    ? unknown
    : { actor: Actor }) &
  (R extends { events: unknown } | { line: unknown } ? { signal: AbortSignal } : unknown)

type Part = 'params' | 'query' | 'headers' | 'body'

type Parsed<R extends Route> = {
  [P in Part as R extends Record<P, z.ZodType> ? P : never]: R extends Record<
    P,
    infer Schema extends z.ZodType
  >
    ? z.output<Schema>
    : never
}

type AnswerOf<R extends Route> = R extends { events: infer Events }
  ? AsyncIterable<EventOf<Events>>
  : R extends { line: infer Line extends z.ZodType }
    ? AsyncIterable<z.input<Line>>
    : R extends { answer: infer Answer extends z.ZodType }
      ? R extends { otherwise: { status: infer Second }; status: infer First }
        ? JsonReply<z.input<Answer>, First | Second>
        : z.input<Answer> | JsonReply<z.input<Answer>> | (R extends { text: string } ? TextReply : never)
      : R extends { text: string }
        ? string | TextReply
        : void

/** `id`: from where a client can continue with `Last-Event-ID`. */
export type EventOf<Events> = {
  [Name in keyof Events & string]: Events[Name] extends z.ZodType
    ? { event: Name; data: z.input<Events[Name]> | JsonText; id?: string }
    : never
}[keyof Events & string]

/** The data of an event as JSON, made once for several streams. It must fit the schema of the event. */
export class JsonText {
  readonly text: string

  constructor(text: string) {
    this.text = text
  }
}

type ReplyHeaders = Readonly<Record<string, string>>

/** An answer with its own status or headers. */
export class JsonReply<Answer, Status = number> {
  readonly answer: Answer
  readonly status: Status | undefined
  readonly headers: ReplyHeaders

  constructor(answer: Answer, { status, headers = {} }: { status?: Status; headers?: ReplyHeaders }) {
    this.answer = answer
    this.status = status
    this.headers = headers
  }
}

/** An answer as text, with its own headers. */
export class TextReply {
  readonly text: string
  readonly headers: ReplyHeaders

  constructor(text: string, headers: ReplyHeaders) {
    this.text = text
    this.headers = headers
  }
}

/** The contract between client and server: routes, arguments and answers, as types derived from the table of routes. */
import type { z } from 'zod'

/** Checks what the server sent. A schema of zod is a parser; the console has smaller ones. */
export interface Parser {
  safeParse: (data: unknown) => { success: true; data: unknown } | { success: false; error: ParseError }
}

interface ParseError {
  issues: readonly { path: readonly PropertyKey[]; message: string }[]
}

/** The parts of a route that a client needs. */
export interface RouteShape {
  method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE'
  /** Parameters in braces: `/v1/edges/{id}`. */
  path: string
  params?: z.ZodType
  query?: z.ZodType
  body?: z.ZodType
  /** Missing: the answer has no body. */
  answer?: Parser
  /** A repeated request would get another secret. */
  secret?: true
  /** The events of a stream, by name. The event `end` is the last one. */
  events?: Readonly<Record<string, Parser>>
  /** The media type of an answer that is text. */
  text?: string
  /** The text consists of lines, each a JSON object. */
  line?: Parser
}

export type RouteTable = Readonly<Record<string, RouteShape>>

/** `T` has the types. The rows may have parsers of their own for the same answers. */
export interface Contract<T extends RouteTable> {
  routes: T | Readonly<Record<keyof T, RouteShape>>
  /** Of a refusal. */
  problem: Parser
}

/** How a request is made. */
export interface RequestOptions {
  /** When it is aborted, the request rejects with the reason of the signal. */
  signal?: AbortSignal | undefined
  /** How long to wait for the whole answer. Streams have no such limit. */
  timeoutMs?: number
  /** Requests with the same key are carried out once. Each write gets a new key if none is given. */
  idempotencyKey?: string
}

/** In an address a number is text, so a parameter may be given before or after it was parsed. */
type Parameters<S extends z.ZodType> = {
  [Key in keyof z.input<S>]: z.input<S>[Key] | (Key extends keyof z.output<S> ? z.output<S>[Key] : never)
}

type ParamsOf<R> = R extends { params: infer S extends z.ZodType } ? { params: Parameters<S> } : unknown
type QueryOf<R> = R extends { query: infer S extends z.ZodType }
  ? object extends Parameters<S>
    ? { query?: Parameters<S> }
    : { query: Parameters<S> }
  : unknown
type BodyOf<R> = R extends { body: infer S extends z.ZodType } ? { body: z.input<S> } : unknown

/** Path parameters, query and body, as far as the route has them, and the options of the request. */
export type Given<R> = ParamsOf<R> & QueryOf<R> & BodyOf<R> & RequestOptions

/** The argument may be left out if everything in it may. */
export type GivenArgument<R, More = unknown> = object extends Given<R> & More
  ? [given?: Given<R> & More]
  : [given: Given<R> & More]

export type RouteAnswer<R> = R extends { answer: infer S extends z.ZodType } ? z.output<S> : undefined

/** The names of the routes whose row has these fields. */
type NameWith<T extends RouteTable, Fields> = {
  [Name in keyof T]: T[Name] extends Fields ? Name : never
}[keyof T] &
  string

export type StreamName<T extends RouteTable> = NameWith<T, { events: unknown }>
export type LinesName<T extends RouteTable> = NameWith<T, { line: z.ZodType }>
/** The names of routes that answer with JSON, or without a body. */
export type CallName<T extends RouteTable> =
  | NameWith<T, { answer: z.ZodType }>
  | Exclude<keyof T & string, NameWith<T, { events: unknown } | { text: unknown }>>

export type StreamLine<R> = R extends { line: infer S extends z.ZodType } ? z.output<S> : never

type EventsOf<R> = R extends { events: infer E extends Readonly<Record<string, z.ZodType>> } ? E : never

/** What a stream yields: its events, and the state of its connection. */
export type StreamUpdate<R> =
  | { kind: 'open' }
  | {
      [Name in keyof EventsOf<R> & string]: {
        kind: 'event'
        name: Name
        data: z.output<EventsOf<R>[Name]>
      }
    }[keyof EventsOf<R> & string]
  /** The connection was lost, or could not be opened. The stream tries again. */
  | { kind: 'lost'; error: Error }

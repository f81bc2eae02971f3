// What a relay counts, in the text format of Prometheus.

const help = {
  connections_opened: 'Sockets that were opened.',
  joins: 'Devices that have joined a room.',
  appends: 'Frames that were stored.',
  duplicates: 'Frames that were stored already.',
  bad_messages: 'Messages that were none.',
  bad_frames: 'Frames that were not whole, or not of the store.',
  damaged: 'Entries of the log that could not be read.',
  refusals: 'Connections that were refused.',
  unauthorized: 'Tokens that were not accepted.',
  stale_terms: 'Tabs that did not lead any more.',
  slow_consumers: 'Connections that did not take what was sent.',
  too_fast: 'Connections that sent too much.',
  checkpoints: 'Logs that were compacted.',
  resets: 'Rooms that have begun anew.',
  bytes_in: 'Bytes of messages taken.',
  bytes_out: 'Bytes of messages sent.',
} as const

export type Counter = keyof typeof help

export interface Metrics {
  count(counter: Counter, by?: number): void
  /** A copy. */
  values(): Record<Counter, number>
  text(gauges: Readonly<Record<string, number>>): string
}

export function createMetrics(): Metrics {
  const values = Object.fromEntries(Object.keys(help).map((name) => [name, 0])) as Record<Counter, number>
  return {
    count(counter, by = 1) {
      values[counter] += by
    },
    values: () => ({ ...values }),
    text(gauges) {
      const counters = (Object.keys(help) as Counter[]).map((name) => `# HELP tabmesh_relay_${name}_total ${help[name]}\n# TYPE tabmesh_relay_${name}_total counter\ntabmesh_relay_${name}_total ${values[name]}\n`)
      const now = Object.entries(gauges).map(([name, value]) => `# TYPE tabmesh_relay_${name} gauge\ntabmesh_relay_${name} ${value}\n`)
      return [...counters, ...now].join('')
    },
  }
}

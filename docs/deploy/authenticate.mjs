// For tabmesh-relay: asks a server of yours, at SESSION_URL, whose token it is. It answers 200 and
// { "user": "…", "rooms": ["…"], "read": true, "write": true, "expiresAt": milliseconds since 1970 }, or something else for nobody.
const { AbortSignal, fetch, process } = globalThis

export default async function authenticate(token) {
  const answer = await fetch(process.env.SESSION_URL, { headers: { Authorization: `Bearer ${token}` }, signal: AbortSignal.timeout(5000) })
  return answer.ok ? answer.json() : undefined
}

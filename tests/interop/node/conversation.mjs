// A script and the test that started it talk in lines of JSON: the test tells what the script is to be,
// the script asks for what only a person's browser can do, and says at the end what it learned.
import { createInterface } from 'node:readline'

const lines = createInterface({ input: process.stdin })[Symbol.asyncIterator]()

async function read() {
  const { value, done } = await lines.next()
  if (done) throw new Error('the test hung up')
  return JSON.parse(value)
}

function say(message) {
  process.stdout.write(`${JSON.stringify(message)}\n`)
}

/** Send the person's browser to an address; return the address outside the provider where it ends. */
async function browse(url) {
  say({ browse: String(url) })
  return new URL((await read()).arrived)
}

/** Run one relying party; what it throws is told in full, since it is what a developer would see. */
export async function converse(party) {
  try {
    say({ learned: await party(await read(), browse) })
  } catch (error) {
    const { name, message, code, error: refusal, error_description: description, cause } = error
    say({ failed: { name, message, code, refusal, description, cause: String(cause?.message ?? cause) } })
  }
  process.stdin.destroy()
}

export async function importPrivateKey(jwk) {
  const named = { ES256: { name: 'ECDSA', namedCurve: 'P-256' }, PS256: { name: 'RSA-PSS', hash: 'SHA-256' } }
  const key = await crypto.subtle.importKey('jwk', jwk, named[jwk.alg], false, ['sign'])
  return { key, kid: jwk.kid }
}

// oauth4webapi, as its examples say, plus its switch for an issuer on http://localhost. It decides nothing by
// itself: a DPoP nonce that is asked for, for one, is the caller's to retry with.
import * as oauth from 'oauth4webapi'
import { converse, importPrivateKey } from './conversation.mjs'

const insecurely = { [oauth.allowInsecureRequests]: true }

async function authentication({ client_secret: secret, jwk, method }) {
  switch (method) {
    case 'client_secret_basic':
      return oauth.ClientSecretBasic(secret)
    case 'client_secret_post':
      return oauth.ClientSecretPost(secret)
    case 'private_key_jwt':
      return oauth.PrivateKeyJwt(await importPrivateKey(jwk))
    case 'none':
      return oauth.None()
  }
}

async function withNonce(attempt) {
  try {
    return await attempt()
  } catch (error) {
    if (!oauth.isDPoPNonceError(error)) throw error
    return attempt()
  }
}

converse(async (told, browse) => {
  const issuer = new URL(told.issuer)
  const as = await oauth.processDiscoveryResponse(issuer, await oauth.discoveryRequest(issuer, insecurely))
  const client = { client_id: told.client_id, ...told.metadata }
  const auth = await authentication(told)
  const options = { ...insecurely }
  if (told.dpop) options.DPoP = oauth.DPoP(client, await oauth.generateKeyPair('ES256'))

  const verifier = oauth.generateRandomCodeVerifier()
  const nonce = oauth.generateRandomNonce()
  const state = oauth.generateRandomState()
  const parameters = new URLSearchParams({
    client_id: client.client_id,
    redirect_uri: told.redirect_uri,
    response_type: 'code',
    scope: told.scope,
    code_challenge: await oauth.calculatePKCECodeChallenge(verifier),
    code_challenge_method: 'S256',
    nonce,
    state,
    max_age: '300',
  })
  const address = new URL(as.authorization_endpoint)
  address.search = parameters
  if (told.par) {
    const pushed = await withNonce(async () =>
      oauth.processPushedAuthorizationResponse(
        as,
        client,
        await oauth.pushedAuthorizationRequest(as, client, auth, parameters, options),
      ),
    )
    address.search = new URLSearchParams({ client_id: client.client_id, request_uri: pushed.request_uri })
  }

  const answer = oauth.validateAuthResponse(as, client, await browse(address), state)
  const expected = { expectedNonce: nonce, maxAge: 300, requireIdToken: true }
  let response
  const tokens = await withNonce(async () => {
    response = await oauth.authorizationCodeGrantRequest(as, client, auth, answer, told.redirect_uri, verifier, options)
    return oauth.processAuthorizationCodeResponse(as, client, response, expected)
  })
  await oauth.validateApplicationLevelSignature(as, response, insecurely)
  const { sub, acr } = oauth.getValidatedIdTokenClaims(tokens)

  const userinfo = (accessToken) =>
    withNonce(async () =>
      oauth.processUserInfoResponse(as, client, sub, await oauth.userInfoRequest(as, client, accessToken, options)),
    )
  const person = await userinfo(tokens.access_token)
  const renewed = await withNonce(async () =>
    oauth.processRefreshTokenResponse(
      as,
      client,
      await oauth.refreshTokenGrantRequest(as, client, auth, tokens.refresh_token, options),
    ),
  )
  const again = await userinfo(renewed.access_token)
  const learned = {
    sub,
    acr,
    token_type: tokens.token_type,
    userinfo: person,
    is_access_token_new: renewed.access_token !== tokens.access_token,
    is_same_person: again.sub === person.sub,
    front_channel: [...address.searchParams.keys()],
  }

  if (told.introspection) {
    learned.introspected = await oauth.processIntrospectionResponse(
      as,
      client,
      await oauth.introspectionRequest(as, client, auth, renewed.access_token, insecurely),
    )
  }
  if (told.post_logout_redirect_uri) {
    const leaving = new URL(as.end_session_endpoint)
    leaving.search = new URLSearchParams({
      id_token_hint: renewed.id_token ?? tokens.id_token,
      post_logout_redirect_uri: told.post_logout_redirect_uri,
      state,
    })
    learned.logged_out = (await browse(leaving)).href === `${told.post_logout_redirect_uri}?state=${state}`
  }
  if (told.revocation) {
    await oauth.processRevocationResponse(
      await oauth.revocationRequest(as, client, auth, renewed.refresh_token, insecurely),
    )
    learned.refused = await withNonce(async () =>
      oauth.processRefreshTokenResponse(
        as,
        client,
        await oauth.refreshTokenGrantRequest(as, client, auth, renewed.refresh_token, options),
      ),
    ).catch(({ error }) => error)
  }
  return learned
})

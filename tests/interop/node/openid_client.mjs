// openid-client, as its README says, plus its switch for an issuer on http://localhost.
import * as client from 'openid-client'
import { converse, importPrivateKey } from './conversation.mjs'

async function authentication({ client_secret: secret, jwk, method }) {
  switch (method) {
    case 'client_secret_basic':
      return client.ClientSecretBasic(secret)
    case 'client_secret_post':
      return client.ClientSecretPost(secret)
    case 'client_secret_jwt':
      return client.ClientSecretJwt(secret)
    case 'private_key_jwt':
      return client.PrivateKeyJwt(await importPrivateKey(jwk))
    case 'none':
      return client.None()
  }
}

async function authorizationUrl(config, told, parameters, options) {
  if (told.jar) {
    return client.buildAuthorizationUrlWithPAR(
      config,
      (await client.buildAuthorizationUrlWithJAR(config, parameters, await importPrivateKey(told.jwk))).searchParams,
      options,
    )
  }
  if (told.par) return client.buildAuthorizationUrlWithPAR(config, parameters, options)
  return client.buildAuthorizationUrl(config, parameters)
}

converse(async (told, browse) => {
  const config = await client.discovery(
    new URL(told.issuer),
    told.client_id,
    told.metadata,
    await authentication(told),
    { execute: [client.allowInsecureRequests] },
  )
  client.enableNonRepudiationChecks(config)
  if (told.jarm) client.useJwtResponseMode(config)
  const options = told.dpop
    ? { DPoP: client.getDPoPHandle(config, await client.randomDPoPKeyPair('ES256')) }
    : undefined

  const pkceCodeVerifier = client.randomPKCECodeVerifier()
  const expectedNonce = client.randomNonce()
  const expectedState = client.randomState()
  const address = await authorizationUrl(
    config,
    told,
    {
      redirect_uri: told.redirect_uri,
      scope: told.scope,
      code_challenge: await client.calculatePKCECodeChallenge(pkceCodeVerifier),
      code_challenge_method: 'S256',
      nonce: expectedNonce,
      state: expectedState,
      max_age: '300',
    },
    options,
  )

  const checks = { pkceCodeVerifier, expectedNonce, expectedState, maxAge: 300, idTokenExpected: true }
  const tokens = await client.authorizationCodeGrant(config, await browse(address), checks, undefined, options)
  const { sub, acr } = tokens.claims()
  const person = await client.fetchUserInfo(config, tokens.access_token, sub, options)
  const renewed = await client.refreshTokenGrant(config, tokens.refresh_token, undefined, options)
  const again = await client.fetchUserInfo(config, renewed.access_token, sub, options)
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
    learned.introspected = await client.tokenIntrospection(config, renewed.access_token)
  }
  if (told.post_logout_redirect_uri) {
    const state = client.randomState()
    const goodbye = await browse(
      client.buildEndSessionUrl(config, {
        id_token_hint: renewed.id_token ?? tokens.id_token,
        post_logout_redirect_uri: told.post_logout_redirect_uri,
        state,
      }),
    )
    learned.logged_out = goodbye.href === `${told.post_logout_redirect_uri}?state=${state}`
  }
  if (told.revocation) {
    await client.tokenRevocation(config, renewed.refresh_token)
    learned.refused = await client
      .refreshTokenGrant(config, renewed.refresh_token, undefined, options)
      .catch(({ error }) => error)
  }
  return learned
})

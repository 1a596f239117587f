// Package oidc signs people in at an OpenID Connect provider, by an authorization code with PKCE, state and nonce. It keeps
// nothing of an attempt: that travels with the browser, sealed. It finds the provider when somebody wants to sign in, so that a
// site starts and works without it. It opens no session and gives no role. Only node uses it.
package oidc

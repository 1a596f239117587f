// Package support has the support site 运维网站, where people report problems and follow them, with an account or without.
package support

// Package config reads the configuration of one node: a YAML file whose every key has a twin in the environment. It is
// strict: what it does not know or cannot use is an error of one line that names the key, the value and what would be
// right. It opens no file but the one it is given and the gossip key. Only node, and the command that starts one, use it.
package config

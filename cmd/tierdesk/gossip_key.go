package main

import (
	"crypto/rand"
	"encoding/base64"
	"fmt"
	"io/fs"
	"os"
	"slices"

	"github.com/spf13/cobra"

	"github.com/tierdesk/tierdesk/authority"
	"github.com/tierdesk/tierdesk/client"
	"github.com/tierdesk/tierdesk/node/config"
	"github.com/tierdesk/tierdesk/tiers/gossip"
)

// gossipKeySize is the length of a gossip key in bytes.
const gossipKeySize = 32

// gossipKeyCommand changes the files of keys by which neighbouring nodes find each other.
func gossipKeyCommand() *cobra.Command {
	cmd := &cobra.Command{Use: "gossip-key", Short: "通信密钥: replace the key that encrypts gossip between nodes, without a pause",
		Args: cobra.ArbitraryArgs, RunE: client.NeedsCommand}
	cmd.Long = cmd.Short + `

All nodes of a tree have the same key, in the file that gossip.key_file names. To replace it:
  1. tierdesk gossip-key new NEW               once; bring NEW to every node on a way that nobody else can read
  2. tierdesk gossip-key add FILE --from NEW   at every node, in any order
  3. tierdesk doctor                           at every site, until each node uses the new key
  4. tierdesk gossip-key drop FILE             at every node, in any order
Nodes read the file every ten seconds. Run the commands as the user that runs the node. Keys are shown by their fingerprints.`
	cmd.AddCommand(gossipKeyNewCommand(), gossipKeyListCommand(), gossipKeyAddCommand(), gossipKeyDropCommand())
	return cmd
}

func gossipKeyNewCommand() *cobra.Command {
	cmd := &cobra.Command{Use: "new FILE", Short: "生成密钥: write a new key into a file of its own", Args: client.OneArgument("FILE")}
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		if _, err := os.Stat(args[0]); err == nil {
			return client.Usage("%s is there already; choose another file, or remove it", args[0])
		}
		key := make([]byte, gossipKeySize)
		if _, err := rand.Read(key); err != nil {
			return fmt.Errorf("make a gossip key: %w", err)
		}
		if err := writeGossipKeys(args[0], [][]byte{key}, ownerOnly); err != nil {
			return err
		}
		_, err := fmt.Fprintf(cmd.OutOrStdout(), "已生成 made: key %s in %s\nNext, at every node: tierdesk gossip-key add FILE --from %[2]s\n",
			gossip.Fingerprint(key), args[0])
		return err
	}
	return cmd
}

func gossipKeyListCommand() *cobra.Command {
	cmd := &cobra.Command{Use: "list FILE", Short: "密钥清单: show the fingerprints of the keys in a file", Args: client.OneArgument("FILE")}
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		keys, err := readGossipKeys(args[0])
		if err != nil {
			return err
		}
		for _, key := range keys {
			if _, err := fmt.Fprintln(cmd.OutOrStdout(), gossip.Fingerprint(key)); err != nil {
				return err
			}
		}
		return nil
	}
	return cmd
}

func gossipKeyAddCommand() *cobra.Command {
	var from string
	cmd := &cobra.Command{Use: "add FILE", Short: "启用新密钥: put a new key before those that a node has", Args: client.OneArgument("FILE")}
	cmd.Flags().StringVar(&from, "from", "", "file with the new key, of tierdesk gossip-key new")
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		if from == "" {
			return client.Usage("say which key to add: --from NEW")
		}
		keys, err := readGossipKeys(args[0])
		if err != nil {
			return err
		}
		added, err := readGossipKeys(from)
		if err != nil {
			return err
		}
		if len(added) != 1 {
			return client.Usage("%s holds %d keys; add one at a time", from, len(added))
		}
		keys = slices.DeleteFunc(keys, func(key []byte) bool { return slices.Equal(key, added[0]) })
		if err := rewriteGossipKeys(args[0], append(added, keys...)); err != nil {
			return err
		}
		_, err = fmt.Fprintf(cmd.OutOrStdout(), `已加入 added: key %s in %s
The node uses it as soon as all its living neighbours know it. When every node has it, and tierdesk doctor says at every site
that it is in use, run tierdesk gossip-key drop at every node.
`, gossip.Fingerprint(added[0]), args[0])
		return err
	}
	return cmd
}

func gossipKeyDropCommand() *cobra.Command {
	cmd := &cobra.Command{Use: "drop FILE", Short: "弃用旧密钥: remove all keys of a node but the first", Args: client.OneArgument("FILE")}
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		keys, err := readGossipKeys(args[0])
		if err != nil {
			return err
		}
		if len(keys) == 1 {
			return client.Usage("%s holds one key, %s, which has to stay", args[0], gossip.Fingerprint(keys[0]))
		}
		if err := rewriteGossipKeys(args[0], keys[:1]); err != nil {
			return err
		}
		for _, key := range keys[1:] {
			if _, err := fmt.Fprintf(cmd.OutOrStdout(), "已弃用 removed: key %s from %s\n", gossip.Fingerprint(key), args[0]); err != nil {
				return err
			}
		}
		return nil
	}
	return cmd
}

// readGossipKeys reads a file of keys as a node does.
func readGossipKeys(file string) ([][]byte, error) {
	return (&config.Config{Gossip: config.Gossip{KeyFile: file}}).GossipKeys()
}

// ownerOnly is the mode of a file of keys that is made.
const ownerOnly fs.FileMode = 0o600

// rewriteGossipKeys replaces a file of keys as a whole; who may read it stays as it was.
func rewriteGossipKeys(file string, keys [][]byte) error {
	info, err := os.Stat(file)
	if err != nil {
		return fmt.Errorf("replace the gossip keys: %w", err)
	}
	return writeGossipKeys(file, keys, info.Mode().Perm())
}

func writeGossipKeys(file string, keys [][]byte, mode fs.FileMode) error {
	var text []byte
	for _, key := range keys {
		text = append(base64.StdEncoding.AppendEncode(text, key), '\n')
	}
	if err := authority.WriteFile(file, text, mode); err != nil {
		return fmt.Errorf("write the gossip keys: %w", err)
	}
	return nil
}

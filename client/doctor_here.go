package client

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/tierdesk/tierdesk/node/api/apipb"
	"github.com/tierdesk/tierdesk/node/config"
	"github.com/tierdesk/tierdesk/node/identity"
)

// examineHere looks at what a node that tells nothing needs on this machine. unreadable is why there is no configuration to go by.
// One that runs, and only refused the caller, has its ports.
func examineHere(c *config.Config, unreadable error, runs bool) []*apipb.Check {
	if unreadable != nil {
		return []*apipb.Check{bad("configuration", "correct the file", unreadable.Error())}
	}
	checks := []*apipb.Check{
		good("configuration", "it can be used"),
		examineDirectory(c.Node.DataDir),
		examineRoom(c.Node.DataDir),
	}
	if !runs {
		checks = append(checks, examinePorts(c))
	}
	if c.TLS.Enabled() {
		checks = append(checks, examineCertificate(c, time.Now()))
	}
	for _, check := range checks {
		check.Node = c.Node.ID
	}
	return checks
}

func good(name, message string) *apipb.Check {
	return &apipb.Check{Name: name, State: apipb.Check_OK, Message: message}
}

func bad(name, remedy, message string) *apipb.Check {
	return &apipb.Check{Name: name, State: apipb.Check_FAILED, Message: message, Remedy: remedy}
}

// examineDirectory tries whether files can be made in the data directory.
func examineDirectory(dir string) *apipb.Check {
	const name = "data directory"
	info, err := os.Stat(dir)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return &apipb.Check{Name: name, State: apipb.Check_WARNING, Message: dir + " does not exist",
			Remedy: "the first start makes it; if the node has run before, see that its disk is mounted"}
	case err != nil:
		return bad(name, "see to its disk and its permissions", err.Error())
	case !info.IsDir():
		return bad(name, "name another one in node.data_dir", dir+" is no directory")
	}
	probe, err := os.CreateTemp(dir, ".doctor-*")
	if err != nil {
		return bad(name, "give the user that runs the node the right to write there, or see to its disk", err.Error())
	}
	_, err = probe.Write([]byte("tierdesk doctor"))
	if err = errors.Join(err, probe.Sync(), probe.Close(), os.Remove(probe.Name())); err != nil {
		return bad(name, "see to its disk", err.Error())
	}
	return good(name, dir+" can be written")
}

// leastFree is what a disk must have left for a node to take work, in bytes.
const leastFree = 64 << 20

// examineRoom looks at the disk of the data directory, or of the first directory above it that exists.
func examineRoom(dir string) *apipb.Check {
	const name = "disk"
	for at := dir; ; at = filepath.Dir(at) {
		usage, err := vfs.Default.GetDiskUsage(at)
		if errors.Is(err, fs.ErrNotExist) && at != filepath.Dir(at) {
			continue
		}
		if err != nil {
			return bad(name, "see that the disk is mounted and readable", fmt.Sprintf("the room in %s cannot be measured: %v", at, err))
		}
		message := fmt.Sprintf("the disk of %s has %d MiB left", at, usage.AvailBytes>>20)
		if usage.AvailBytes < leastFree {
			return bad(name, "free some", message)
		}
		return good(name, message)
	}
}

// examinePorts tries to bind what the node would bind.
func examinePorts(c *config.Config) *apipb.Check {
	var taken []string
	var why error
	for _, port := range []struct{ network, key, address string }{
		{"tcp", "listen.http", c.Listen.HTTP},
		{"tcp", "listen.grpc", c.Listen.GRPC},
		{"tcp", "listen.raft", c.Listen.Raft},
		{"tcp", "listen.gossip", c.Listen.Gossip},
		{"udp", "listen.gossip", c.Listen.Gossip},
	} {
		if err := bindable(port.network, port.address); err != nil {
			taken, why = append(taken, port.key+" ("+port.network+")"), err
		}
	}
	if len(taken) == 0 {
		return good("ports", "all ports are free: no node runs here")
	}
	return bad("ports", "if the node runs and hangs, look at its log and start it again; else stop what has them, or choose others",
		fmt.Sprintf("%s cannot be bound: %v", strings.Join(taken, ", "), why))
}

func bindable(network, address string) error {
	var bound io.Closer
	var err error
	if network == "udp" {
		bound, err = net.ListenPacket(network, address)
	} else {
		bound, err = net.Listen(network, address)
	}
	if err != nil {
		return err
	}
	return bound.Close()
}

// urgentRenewal is how long before its end a certificate that lasts for months should have been renewed; nodes begin with it
// when a third of the time is left. Of a shorter one a sixth is left then.
const urgentRenewal = 14 * 24 * time.Hour

// examineCertificate reads the certificate files as the node does at its start.
func examineCertificate(c *config.Config, now time.Time) *apipb.Check {
	const name = "certificate"
	own, err := identity.Load(identity.Options{CA: c.TLS.CA, Cert: c.TLS.Cert, Key: c.TLS.Key, Site: c.Site.ID, Node: c.Node.ID})
	if err != nil {
		return bad(name, "mend the files that tls names; one that has ended is renewed by hand with tierdesk ca renew", err.Error())
	}
	if key, err := os.Stat(c.TLS.Key); err == nil && key.Mode().Perm()&0o077 != 0 {
		return &apipb.Check{Name: name, State: apipb.Check_WARNING,
			Message: fmt.Sprintf("others than the user that runs the node may read its key %s (mode %o)", c.TLS.Key, key.Mode().Perm()),
			Remedy:  "chmod 600 " + c.TLS.Key}
	}
	message := "the node's certificate ends on " + own.Expires().UTC().Format(time.DateTime) + " UTC"
	if own.Expires().Sub(now) < min(urgentRenewal, own.Lifetime()/6) {
		return &apipb.Check{Name: name, State: apipb.Check_WARNING, Message: message,
			Remedy: "start the node, which renews it when its line is up, or renew it by hand with tierdesk ca renew"}
	}
	return good(name, message)
}

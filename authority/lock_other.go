//go:build !unix

package authority

// lock does nothing here: one process at a time may write the directory.
func (a *Authority) lock() (unlock func(), err error) { return func() {}, nil }

package main

import (
	"bytes"
	"encoding/json"
	"runtime"
	"testing"
)

func TestVersionAsJSON(t *testing.T) {
	cmd := versionCommand()
	var out bytes.Buffer
	cmd.SetOut(&out)
	cmd.SetArgs([]string{"--json"})
	if err := cmd.ExecuteContext(t.Context()); err != nil {
		t.Fatal(err)
	}
	var told build
	if err := json.Unmarshal(out.Bytes(), &told); err != nil {
		t.Fatal(err)
	}
	if want := (build{buildVersion(), runtime.Version(), runtime.GOOS, runtime.GOARCH}); told != want {
		t.Errorf("it prints %s, want %+v", &out, want)
	}
}

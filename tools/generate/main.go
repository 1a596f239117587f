// Command generate makes every generated file of the project: Go code of the protobuf schemas, the JSON gateway and the
// OpenAPI document. It is run by go generate and nothing else; its working directory is this module.
//
// The schemas use Google's HTTP annotations. Their definition is printed from the descriptors that the Go module of
// those annotations carries, so that no copy of them lives in the repository.
package main

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"

	"github.com/jhump/protoreflect/v2/protoprint"
	"google.golang.org/genproto/googleapis/api/annotations"
	"google.golang.org/protobuf/reflect/protoreflect"
)

func main() {
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, "generate:", err)
		os.Exit(1)
	}
}

// Scratch directories inside this module; git ignores them.
const (
	annotationsDir = "googleapis" // named in ../buf.yaml
	documentsDir   = "documents"  // named in buf.gen.api.yaml
)

func run() error {
	defer os.RemoveAll(annotationsDir)
	printer := protoprint.Printer{}
	for _, file := range []protoreflect.FileDescriptor{
		annotations.File_google_api_http_proto,
		annotations.File_google_api_annotations_proto,
	} {
		text, err := printer.PrintProtoToString(file)
		if err != nil {
			return fmt.Errorf("print %s: %w", file.Path(), err)
		}
		path := filepath.Join(annotationsDir, file.Path())
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			return err
		}
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			return err
		}
	}
	// The plain code first, then what is made from the annotated services.
	schemas := []string{"generate", "..", "--path", "../desk", "--path", "../tiers", "--path", "../node"}
	if err := buf(append(schemas, "--template", "buf.gen.desk.yaml")...); err != nil {
		return fmt.Errorf("code: %w", err)
	}
	defer os.RemoveAll(documentsDir)
	api := []string{"generate", "..", "--path", "../node/api", "--template", "buf.gen.api.yaml"}
	if err := buf(api...); err != nil {
		return fmt.Errorf("gateway: %w", err)
	}
	if err := mergeDocuments("../node/api/openapi.json"); err != nil {
		return fmt.Errorf("openapi: %w", err)
	}
	return buf("lint", "..", "--path", "../desk", "--path", "../tiers", "--path", "../node")
}

// mergeDocuments makes one OpenAPI document of the one per schema file that the generator writes.
func mergeDocuments(path string) error {
	files, err := filepath.Glob(documentsDir + "/node/api/apipb/*.openapi.json")
	if err != nil {
		return err
	}
	slices.Sort(files)
	slices.Reverse(files) // what people look for first stands near the beginning
	merge := exec.Command("go", append([]string{"tool", "openapiv3-merge"}, files...)...)
	merge.Stderr = os.Stderr
	document, err := merge.Output()
	if err != nil {
		return err
	}
	title := regexp.MustCompile(`"title": "[^"]*"`).Find(document) // the first one names the whole
	document = bytes.Replace(document, title, []byte(`"title": "tierdesk"`), 1)
	if document, err = secured(document); err != nil {
		return err
	}
	return os.WriteFile(path, document, 0o644)
}

func buf(args ...string) error {
	command := exec.Command("go", append([]string{"tool", "buf"}, args...)...)
	command.Stdout, command.Stderr = os.Stdout, os.Stderr
	return command.Run()
}

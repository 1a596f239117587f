package policyfile

import (
	"errors"
	"fmt"

	"google.golang.org/protobuf/proto"
	"gopkg.in/yaml.v3"

	"github.com/tierdesk/tierdesk/desk/deskpb"
)

// Amend changes a policy file so that it is read as another layer. Only what says something else is written anew: all other lines
// stay as people wrote them, with their order, style and comments. A text that is read as the layer already is returned as it is.
// A text with problems is refused, and so is one that would become longer than a policy may be.
func Amend(source []byte, layer *deskpb.Policy) ([]byte, error) {
	old, problems := Read(source)
	if len(problems) > 0 {
		return nil, fmt.Errorf("the policy of this office cannot be read: %s; correct the text first", problems[0])
	}
	if proto.Equal(old, layer) {
		return source, nil
	}
	from, to := mapping(old.ProtoReflect()), mapping(layer.ProtoReflect())
	for _, way := range []func([]byte, *yaml.Node, *yaml.Node) ([]byte, error){amendLines, amendSections} {
		amended, err := way(source, from, to)
		if err != nil {
			return nil, err
		}
		if len(amended) > MaxSource {
			return nil, fmt.Errorf("the policy would have %d bytes; it has at most %d", len(amended), MaxSource)
		}
		if again, problems := Read(amended); len(problems) == 0 && proto.Equal(again, layer) {
			return amended, nil
		}
	}
	return nil, errors.New("the text of the policy is laid out in a way that only people can change; change it as a text")
}

// amendLines replaces the lines of what has changed.
func amendLines(source []byte, from, to *yaml.Node) ([]byte, error) {
	s := newSheet(source)
	var document yaml.Node
	if err := yaml.Unmarshal(source, &document); err != nil {
		return nil, fmt.Errorf("read the policy as YAML: %w", err)
	}
	root := &yaml.Node{Kind: yaml.MappingNode}
	if len(document.Content) > 0 && document.Content[0].Kind == yaml.MappingNode {
		root = document.Content[0]
	}
	if err := s.mapping(root, from, to, span{0, s.end()}, 0); err != nil {
		return nil, err
	}
	return s.bytes(), nil
}

// amendSections writes each section anew that has changed, and the file in the form of the encoder, which keeps comments but neither
// blank lines nor indentation. It is for texts that are not laid out in lines, such as {urging: {cool_down: 5m}}.
func amendSections(source []byte, from, to *yaml.Node) ([]byte, error) {
	var document yaml.Node
	if err := yaml.Unmarshal(source, &document); err != nil {
		return nil, fmt.Errorf("read the policy as YAML: %w", err)
	}
	written := &yaml.Node{Kind: yaml.MappingNode}
	if len(document.Content) > 0 {
		root := document.Content[0]
		for i := 0; i+1 < len(root.Content); i += 2 {
			key, value := root.Content[i], root.Content[i+1]
			before, after := valueUnder(from, key.Value), valueUnder(to, key.Value)
			switch {
			case same(before, after):
				written.Content = append(written.Content, key, value)
			case after != nil:
				written.Content = append(written.Content, key, after)
			}
		}
	}
	for i := 0; i+1 < len(to.Content); i += 2 {
		if valueUnder(written, to.Content[i].Value) == nil {
			written.Content = append(written.Content, to.Content[i], to.Content[i+1])
		}
	}
	return encode(written)
}

// valueUnder finds the value of a key, nil when there is none.
func valueUnder(mapping *yaml.Node, key string) *yaml.Node {
	for i := 0; i+1 < len(mapping.Content); i += 2 {
		if mapping.Content[i].Value == key {
			return mapping.Content[i+1]
		}
	}
	return nil
}

// same tells whether two nodes that were written by this package say the same.
func same(a, b *yaml.Node) bool {
	if a == nil || b == nil {
		return a == b
	}
	if a.Kind != b.Kind || a.Tag != b.Tag || a.Value != b.Value || len(a.Content) != len(b.Content) {
		return false
	}
	for i := range a.Content {
		if !same(a.Content[i], b.Content[i]) {
			return false
		}
	}
	return true
}

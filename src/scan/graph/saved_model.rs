//! TensorFlow: graphs as protocol buffers (`saved_model.pb`, frozen graphs, checkpoints' meta
//! graphs). Most operators compute; some read and write files or run Python.
//! <https://github.com/tensorflow/tensorflow/blob/master/tensorflow/core/protobuf/saved_model.proto>

use std::collections::BTreeSet;
use std::io;

use super::protobuf::{Field, Messages, outline};
use crate::finding::{Level, Rule};
use crate::scan::stream::Stream;
use crate::scan::{Detection, Format, HEAD, Limits, Reader, Scan, Subject, nested};

pub(in crate::scan) const UNSAFE: Rule = Rule {
    id: "unsafe-operator",
    level: Level::Error,
    summary: "a graph with operators that read or write files, or run Python",
    reason: "They run with the model, on whatever machine that is.",
    fix: "export the model without them: preprocessing that reads files belongs before the model",
    example: "an operator WriteFile",
};

const BROKEN: Rule = Rule {
    id: "invalid-graph",
    level: Level::Error,
    summary: "a TensorFlow graph that cannot be read to its end",
    reason: "What cannot be read cannot be known to be harmless.",
    fix: "export the model again",
    example: "a file cut in the middle",
};

/// Operators that reach outside (`tensorflow/core/ops`), and what they do.
pub(in crate::scan) fn reaches(operator: &str) -> Option<&'static str> {
    Some(match operator {
        "ReadFile"
        | "MatchingFiles"
        | "WholeFileReader"
        | "WholeFileReaderV2"
        | "FixedLengthRecordReader"
        | "FixedLengthRecordReaderV2"
        | "TextLineReader"
        | "TextLineReaderV2"
        | "TFRecordReader"
        | "TFRecordReaderV2"
        | "LMDBReader"
        | "TextLineDataset"
        | "TFRecordDataset"
        | "TFRecordDatasetV2"
        | "FixedLengthRecordDataset"
        | "FixedLengthRecordDatasetV2"
        | "CSVDataset"
        | "CSVDatasetV2"
        | "SqlDataset"
        | "ExperimentalSqlDataset"
        | "LoadDataset"
        | "LoadDatasetV2"
        | "ExperimentalMatchingFilesDataset"
        | "MatchingFilesDataset"
        | "IdentityReader" => "reads files",
        "WriteFile"
        | "SaveDataset"
        | "SaveDatasetV2"
        | "DatasetToTFRecord"
        | "ExperimentalDatasetToTFRecord"
        | "SaveSlices"
        | "PrintV2ToFile"
        | "CacheDataset"
        | "CacheDatasetV2"
        | "SnapshotDataset"
        | "SnapshotDatasetV2"
        | "DebugIdentity"
        | "DebugIdentityV2"
        | "DebugIdentityV3"
        | "WriteSummary"
        | "WriteGraphSummary"
        | "WriteRawProtoSummary"
        | "WriteScalarSummary"
        | "WriteHistogramSummary"
        | "WriteImageSummary"
        | "WriteAudioSummary"
        | "CreateSummaryFileWriter"
        | "CreateSummaryDbWriter" => "writes files",
        "PyFunc" | "PyFuncStateless" | "EagerPyFunc" | "NumpyFunc" | "GeneratorDataset" => {
            "runs Python of the process"
        }
        "RemoteCall"
        | "RpcCall"
        | "RpcClient"
        | "DistributedSave"
        | "RegisterDataset"
        | "DataServiceDataset"
        | "DataServiceDatasetV2"
        | "DataServiceDatasetV3"
        | "DataServiceDatasetV4"
        | "CollectiveGather" => "talks to other machines",
        "BigQueryReader" | "GcsConfigureCredentials" => "reads from the cloud",
        _ => return None,
    })
}

/// SavedModel, MetaGraphDef and GraphDef.
pub(in crate::scan) const READER: Reader = Reader {
    format: Format("tensorflow-graph"),
    is: |head| kind(head.bytes).is_some(),
    scan,
    checked: "every operator of the main graph and of the function library; the Keras model beside it",
    unchecked: "the numbers; native libraries that bring operators",
    rules: &[&UNSAFE, &BROKEN],
};

/// What the first fields are: nodes have a name and an operator, a graph has nodes, a meta graph
/// has a graph behind its info, a SavedModel has meta graphs behind its version. What may be left
/// out may be left out: readers of protocol buffers do not mind, nor the order.
fn kind(head: &[u8]) -> Option<Kind> {
    let fields = outline(head);
    let only = |wanted: u64| fields.iter().all(|(number, _, _)| *number <= wanted);
    let first = fields.iter().find(|(number, kind, _)| matches!((*number, *kind), (1 | 2, 2)))?;
    match first {
        (1, _, body) if is_node(body) => Some(Kind::Graph),
        (2, _, body) if is_graph(body) && only(7) => Some(Kind::MetaGraph),
        (2, _, body) if is_library(body) && only(4) => Some(Kind::Graph),
        (2, _, body) if is_meta(body) && only(2) => Some(Kind::SavedModel),
        (1, ..) => match fields.iter().find(|(number, kind, _)| (*number, *kind) == (2, 2)) {
            Some((_, _, graph)) if is_graph(graph) && only(7) => Some(Kind::MetaGraph),
            _ => None,
        },
        _ => None,
    }
}

fn is_node(body: &[u8]) -> bool {
    let fields = outline(body);
    let text = |wanted: u64| {
        fields.iter().any(|(number, kind, name)| {
            (*number, *kind) == (wanted, 2)
                && !name.is_empty()
                && name.iter().all(u8::is_ascii_graphic)
        })
    };
    text(1) && text(2)
}

fn is_graph(body: &[u8]) -> bool {
    outline(body).iter().any(|(number, kind, node)| (*number, *kind) == (1, 2) && is_node(node))
}

/// Functions: each begins with a signature, and holds nodes.
fn is_library(body: &[u8]) -> bool {
    let fields = outline(body);
    let Some((1, 2, function)) = fields.first() else { return false };
    let inner = outline(function);
    inner.iter().any(|(number, kind, node)| (*number, *kind) == (3, 2) && is_node(node))
}

fn is_meta(body: &[u8]) -> bool {
    let fields = outline(body);
    let graph = fields.iter().any(|(number, kind, graph)| {
        (*number, *kind) == (2, 2) && (is_graph(graph) || is_library(graph))
    });
    // Info with the version of TensorFlow; the graph may lie behind the head.
    let info = fields.first().is_some_and(|(number, kind, info)| {
        (*number, *kind) == (1, 2)
            && outline(info).iter().any(|(number, kind, _)| matches!((*number, *kind), (1..=6, 2)))
    });
    graph || info
}

fn scan(
    stream: &mut Stream<'_>,
    _: &Subject<'_>,
    limits: Limits<'_>,
    scan: &mut Scan,
) -> io::Result<()> {
    let Some(kind) = kind(stream.peek(HEAD)?) else { return Ok(()) };
    let mut seen = Seen { detections: Vec::new(), operators: BTreeSet::new(), limits };
    let mut messages = Messages::new(stream);
    let ended =
        messages.message(u64::MAX, &mut |messages, number, field| match (&kind, number, &field) {
            (Kind::SavedModel, 2, Field::Bytes(length)) => messages
                .message(*length, &mut |messages, number, field| {
                    seen.meta_graph(messages, number, &field)
                }),
            (Kind::MetaGraph, ..) => seen.meta_graph(messages, number, &field),
            (Kind::Graph, ..) => seen.graph(messages, number, &field),
            _ => Ok(()),
        });
    let at = stream.offset();
    scan.detections.append(&mut seen.detections);
    ended.or_else(|error| nested::failed(error, &BROKEN, at, scan))
}

enum Kind {
    SavedModel,
    MetaGraph,
    Graph,
}

struct Seen<'l> {
    detections: Vec<Detection>,
    operators: BTreeSet<String>,
    limits: Limits<'l>,
}

impl Seen<'_> {
    fn meta_graph(
        &mut self,
        messages: &mut Messages<'_, '_>,
        number: u64,
        field: &Field,
    ) -> io::Result<()> {
        match (number, field) {
            (2, Field::Bytes(length)) => messages
                .message(*length, &mut |messages, number, field| {
                    self.graph(messages, number, &field)
                }),
            // object_graph_def → nodes → user_object → metadata: Keras' own JSON.
            (7, Field::Bytes(length)) => {
                messages.message(*length, &mut |messages, number, field| match (number, &field) {
                    (1, Field::Bytes(length)) => messages.message(
                        *length,
                        &mut |messages, number, field| match (number, &field) {
                            (4, Field::Bytes(length)) => self.user_object(messages, *length),
                            _ => Ok(()),
                        },
                    ),
                    _ => Ok(()),
                })
            }
            _ => Ok(()),
        }
    }

    fn user_object(&mut self, messages: &mut Messages<'_, '_>, length: u64) -> io::Result<()> {
        messages.message(length, &mut |messages, number, field| {
            let (3, Field::Bytes(length)) = (number, &field) else { return Ok(()) };
            self.detections.extend(messages.keras(*length, self.limits)?);
            Ok(())
        })
    }

    fn graph(
        &mut self,
        messages: &mut Messages<'_, '_>,
        number: u64,
        field: &Field,
    ) -> io::Result<()> {
        match (number, field) {
            (1, Field::Bytes(length)) => messages
                .message(*length, &mut |messages, number, field| {
                    self.node(messages, number, &field)
                }),
            // library → functions → node_def
            (2, Field::Bytes(length)) => {
                messages.message(*length, &mut |messages, number, field| match (number, &field) {
                    (1, Field::Bytes(length)) => messages.message(
                        *length,
                        &mut |messages, number, field| match (number, &field) {
                            (3, Field::Bytes(length)) => messages
                                .message(*length, &mut |messages, number, field| {
                                    self.node(messages, number, &field)
                                }),
                            _ => Ok(()),
                        },
                    ),
                    _ => Ok(()),
                })
            }
            _ => Ok(()),
        }
    }

    fn node(
        &mut self,
        messages: &mut Messages<'_, '_>,
        number: u64,
        field: &Field,
    ) -> io::Result<()> {
        let (2, Field::Bytes(length)) = (number, field) else { return Ok(()) };
        let at = messages.stream.offset();
        let operator = messages.text(*length)?;
        if let Some(does) = reaches(&operator)
            && self.operators.insert(operator.clone())
        {
            self.detections.push(Detection::at(
                &UNSAFE,
                format!("the operator `{operator}` {does}"),
                at,
            ));
        }
        Ok(())
    }
}

/// `keras_metadata.pb`: nodes with Keras' own JSON.
pub(in crate::scan) const KERAS: Reader = Reader {
    format: Format("keras-metadata"),
    is: |head| is_metadata(head.bytes),
    scan: |stream, _, limits, scan| {
        let mut found = Vec::new();
        let mut messages = Messages::new(stream);
        let ended =
            messages.message(u64::MAX, &mut |messages, number, field| match (number, &field) {
                (1, Field::Bytes(length)) => {
                    messages.message(*length, &mut |messages, number, field| {
                        let (5, Field::Bytes(length)) = (number, &field) else { return Ok(()) };
                        found.extend(messages.keras(*length, limits)?);
                        Ok(())
                    })
                }
                _ => Ok(()),
            });
        let at = stream.offset();
        scan.detections.append(&mut found);
        ended.or_else(|error| nested::failed(error, &BROKEN, at, scan))
    },
    checked: "the model as Keras wrote it: layers, functions, classes of other packages",
    unchecked: "nothing",
    rules: &[&BROKEN],
};

fn is_metadata(head: &[u8]) -> bool {
    let fields = outline(head);
    fields.first().is_some_and(|(number, kind, body)| {
        (*number, *kind) == (1, 2) && memchr::memmem::find(body, b"_tf_keras_").is_some()
    })
}

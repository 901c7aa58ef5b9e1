//! Operations without their types, so that one table can hold them all.

use wire::{
    JsonWriter, Members, Node, Reader, Structure, StructureInfo, Timestamp, Write, XmlWriter,
};
use zeroize::Zeroizing;

use crate::caller::Caller;
use crate::context::{Context, would_have_succeeded};
use crate::error::Error;
use crate::filled_in::fill_in;
use crate::notes::{extend, object};
use crate::operation::{Authorized, Facts, Operation, Protocol, Resource, Service, Target};
use crate::ports::Pending;
use crate::throttling::Deferred;

/// What an audit record will tell of an operation, gathered while it runs.
#[derive(Default)]
pub struct Trail {
    /// The request's parameters, as JSON.
    pub parameters: Option<Zeroizing<Vec<u8>>>,
    /// The answer's elements, as JSON; only of operations that change something.
    pub response: Option<Zeroizing<Vec<u8>>>,
    /// What the operation told beside both, as JSON.
    pub additional: Option<Vec<u8>>,
    /// What was acted on.
    pub resources: Vec<Resource>,
}

/// An operation of the service `S`, its input and output unknown.
pub trait AnyOperation<S: Service>: Send + Sync {
    /// What is true of it.
    fn facts(&self) -> &'static Facts;

    /// The structure that it takes.
    fn input(&self) -> &'static StructureInfo;

    /// The structure that it gives; without members where it gives nothing.
    fn output(&self) -> &'static StructureInfo;

    /// Reads an input and drops it: whether it would be decoded. For tests that hold for every
    /// operation, and for fuzzing.
    ///
    /// # Errors
    /// As [`AnyOperation::execute`] would refuse the input.
    fn accepts(&self, node: &Node<'_>) -> Result<(), Error>;

    /// Whether its requests are signed.
    fn is_signed(&self) -> bool;

    /// Decodes the input and finds out who calls by it, where requests aren't signed.
    fn identify<'a>(
        &'a self,
        service: &'a S,
        now: Timestamp,
        node: &'a Node<'a>,
        trail: &'a mut Trail,
    ) -> Pending<'a, Result<Caller, Error>>;

    /// Decodes, resolves, authorizes, checks, runs and encodes: the stages of the pipeline that
    /// need the operation's types, in their one order.
    fn execute<'a>(
        &'a self,
        cx: Context<'a, S>,
        node: Node<'a>,
        trail: &'a mut Trail,
    ) -> Pending<'a, Result<Zeroizing<Vec<u8>>, Error>>;
}

impl<S: Service, O: Operation<Service = S>> AnyOperation<S> for O {
    fn facts(&self) -> &'static Facts {
        &O::FACTS
    }

    fn input(&self) -> &'static StructureInfo {
        O::Input::STRUCTURE
    }

    fn output(&self) -> &'static StructureInfo {
        O::Output::STRUCTURE
    }

    fn accepts(&self, node: &Node<'_>) -> Result<(), Error> {
        reader::<S>().read::<O::Input>(node)?;
        Ok(())
    }

    fn is_signed(&self) -> bool {
        O::SIGNED
    }

    fn identify<'a>(
        &'a self,
        service: &'a S,
        now: Timestamp,
        node: &'a Node<'a>,
        trail: &'a mut Trail,
    ) -> Pending<'a, Result<Caller, Error>> {
        Box::pin(async move {
            let input: O::Input = reader::<S>().read(node)?;
            trail.parameters = parameters::<O>(&input);
            O::identify(service, &input, now).await
        })
    }

    fn execute<'a>(
        &'a self,
        mut cx: Context<'a, S>,
        mut node: Node<'a>,
        trail: &'a mut Trail,
    ) -> Pending<'a, Result<Zeroizing<Vec<u8>>, Error>> {
        Box::pin(async move {
            cx.withheld = O::withhold(cx.service, &mut node);
            let input: O::Input = reader::<S>().read(&node)?;
            cx.dry_run = O::FACTS.dry_run && node.is_true("DryRun");
            drop(node);
            trail.parameters = parameters::<O>(&input);
            let mut owed = cx.deferred.take();
            let cx = with_input(cx, &input);
            let mut result = attempt::<O>(&cx, &input, trail, &mut owed).await;
            for _ in 1..ATTEMPTS_MAX {
                if !matches!(&result, Err(error) if error.is_conflict()) {
                    break;
                }
                result = attempt::<O>(&cx, &input, trail, &mut owed).await;
            }
            let noted = cx.notes.take();
            trail.additional = object(&noted.additional);
            let output = result?;
            trail.resources.extend(O::made(&output));
            // An operation that changes nothing runs to its end, so that whatever would have
            // refused it has had its chance.
            if cx.dry_run {
                return Err(would_have_succeeded());
            }
            if O::ANSWER_RECORDED {
                let mut response = recorded::<O, _>(&output);
                extend(&mut response, &noted.answer);
                trail.response = unless_empty(response);
            }
            Ok(encoded::<S, O>(&output))
        })
    }
}

/// The same surroundings, for as long as the input is there.
fn with_input<'b, S: Service>(cx: Context<'b, S>, input: &'b dyn Members) -> Context<'b, S> {
    Context { input: Some(input), ..cx }
}

/// How often a request is decided anew because another one changed what it was decided on. Each
/// round, at least one of the requests that are in each other's way gets through.
const ATTEMPTS_MAX: usize = 64;

/// One pass from the input to the output. `owed` is asked by the first that gets that far.
async fn attempt<O: Operation>(
    cx: &Context<'_, O::Service>,
    input: &O::Input,
    trail: &mut Trail,
    owed: &mut Option<Deferred<'_>>,
) -> Result<O::Output, Error> {
    cx.notes.clear();
    let target = O::resolve(cx, input).await?;
    trail.resources = target.resources();
    if let Some(deferred) = owed.take() {
        deferred.settle(cx.account(), cx.region, &O::uses(input, &target))?;
    }
    target.authorize(&O::FACTS, cx).await?;
    target.check(&O::FACTS, cx)?;
    O::run(cx, &Authorized::new(target), input).await
}

fn reader<S: Service>() -> Reader {
    match S::PROTOCOL {
        Protocol::Json => Reader::json(),
        Protocol::Query { .. } => Reader::query(),
    }
}

/// What the audit record holds of an input.
fn parameters<O: Operation>(input: &O::Input) -> Option<Zeroizing<Vec<u8>>> {
    if !O::PARAMETERS_RECORDED {
        return None;
    }
    let mut json = recorded::<O, _>(input);
    fill_in(&mut json, input, O::FILLED_IN);
    unless_empty(json)
}

fn recorded<O: Operation, T: Structure>(value: &T) -> Zeroizing<Vec<u8>> {
    let room = Zeroizing::new(Vec::with_capacity(256));
    let mut out = JsonWriter::record(room, <O::Service as Service>::RECORDED_DATES);
    value.write(&mut out);
    out.finish()
}

/// CloudTrail writes null for an object without members.
fn unless_empty(json: Zeroizing<Vec<u8>>) -> Option<Zeroizing<Vec<u8>>> {
    (json.as_slice() != b"{}").then_some(json)
}

fn encoded<S: Service, O: Operation>(output: &O::Output) -> Zeroizing<Vec<u8>> {
    match S::PROTOCOL {
        // AWS answers an operation that gives nothing with an empty body, or without a result.
        _ if O::Output::STRUCTURE.members.is_empty() && !has_own_output::<O>() => {
            Zeroizing::default()
        }
        Protocol::Json => {
            let mut out = JsonWriter::answer(ANSWER_CAPACITY);
            output.write(&mut out);
            out.finish()
        }
        Protocol::Query { .. } => {
            let mut out = XmlWriter::new();
            let result = format!("{}Result", O::FACTS.name);
            out.element(&result, |out| output.write(out));
            out.finish()
        }
    }
}

/// Whether the model has an output for the operation alone, be it without members: the query
/// protocol then answers with a result, which clients demand.
fn has_own_output<O: Operation>() -> bool {
    let operation = O::Output::STRUCTURE.name.strip_suffix("Response");
    matches!(<O::Service as Service>::PROTOCOL, Protocol::Query { .. })
        && operation == Some(O::FACTS.name)
}

/// Room for most answers. More is made when it is needed; less to wipe is less to wait for.
const ANSWER_CAPACITY: usize = 768;
